import Glibc
import Linux
import OCISpec

/// What the kernel's security modules are to call the process once it is its program.
struct SecurityLabels: Sendable, Hashable {
    var apparmorProfile: String?
    var selinuxLabel: String?

    static var hasAppArmor: Bool { File.exists("/sys/kernel/security/apparmor") }
    static var hasSELinux: Bool { File.exists("/sys/fs/selinux/enforce") }

    /// A profile that can't be had is an error: what was to protect the host isn't there. A label without SELinux is what
    /// engines pass on every host.
    init(_ process: OCISpec.Process) throws(RuntimeError) {
        for text in [process.apparmorProfile, process.selinuxLabel] {
            if let text, text.utf8.contains(where: { $0 < 0x20 }) {
                throw RuntimeError("process.apparmorProfile and process.selinuxLabel must be one line")
            }
        }
        if let profile = process.apparmorProfile, !profile.isEmpty {
            if SecurityLabels.hasAppArmor {
                apparmorProfile = profile
            } else if profile != "unconfined" {
                throw RuntimeError("process.apparmorProfile \"\(profile)\": this kernel has no AppArmor")
            }
        }
        if let label = process.selinuxLabel, !label.isEmpty, SecurityLabels.hasSELinux { selinuxLabel = label }
    }

    /// For the next execve, and for the session keyring that is made before it. Goes through the host's procfs, and before the
    /// process's user changes: the kernel wants the same rights at open and at write.
    func apply() throws(RuntimeError) {
        if let apparmorProfile {
            try write(
                "process.apparmorProfile \"\(apparmorProfile)\"", "exec \(apparmorProfile)",
                ["apparmor/exec", "exec"])
        }
        if let selinuxLabel {
            try write("process.selinuxLabel \"\(selinuxLabel)\"", selinuxLabel, ["exec"])
            try write("process.selinuxLabel \"\(selinuxLabel)\"", selinuxLabel, ["keycreate"])
        }
    }

    private func write(_ field: String, _ value: String, _ files: [String]) throws(RuntimeError) {
        try step(field) { () throws(SystemError) in
            // One of this thread's own, proven to be the kernel's (CVE-2025-52881).
            let folder = try File.open("/proc/thread-self/attr", OpenFlag.path | O_DIRECTORY)
            if try FilesystemStatistics(of: folder).type != FilesystemStatistics.procMagic {
                throw SystemError("open", path: "/proc/thread-self/attr", errno: .crossDevice)
            }
            for name in files where name == files.last || File.exists(name, at: folder.raw) {
                let file = try RootedPath.open(
                    name, O_WRONLY, root: folder.raw, resolve: [.beneath, .noSymlinks, .noCrossMount])
                return try file.writeAll(value)
            }
        }
    }
}
