import Cgroups
import Glibc
import JSON
import Linux
import OCISpec

/// `spec`: a configuration to start from, as config.json in the bundle.
enum WriteSpec {
    static func run(bundle: String?, rootless: Bool) throws(RuntimeError) {
        let path = (bundle.map { $0 + "/" } ?? "") + "config.json"
        // On version 1 the programs of today expect to see the host's names of their cgroups.
        let cgroupNamespace = try HostCgroups.host().mode == .v2
        var spec = Spec.starter(cgroupNamespace: cgroupNamespace)
        if rootless { spec.makeRootless(uid: geteuid(), gid: getegid()) }
        let bytes = spec.encoded(indent: "\t") + [UInt8(ascii: "\n")]
        do throws(SystemError) {
            try File.open(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o666).writeAll(bytes)
        } catch {
            if error.errno == .exists { throw RuntimeError("File \(path) exists. Remove it first") }
            throw RuntimeError("write the configuration", error)
        }
    }
}
