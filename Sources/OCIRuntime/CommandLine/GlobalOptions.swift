import CLinux
import Glibc
import Linux

/// What stands before the command.
struct GlobalOptions {
    var root: String
    var log: Log
    var systemdCgroup: Bool
    var rootless: RootlessMode
    var showsVersion = false
    var showsHelp = false

    static let defaultRoot = "/run/kubesim-oci"

    init(_ arguments: inout Arguments) throws(RuntimeError) {
        let syntax = CommandSyntax(
            "", "", arguments: "", most: nil, CommandSyntax.globalFlags + [.value("criu", "PATH", "")])
        let flags = try arguments.flags(of: syntax)
        root = try GlobalOptions.absolute(flags["root"])
        log = Log(path: flags["log"])
        switch flags["log-format"] {
        case nil, "text"?: log.format = .text
        case "json"?: log.format = .json
        case let other?: throw RuntimeError("unknown log-format \"\(other)\"")
        }
        log.showsDebug = flags.has("debug")
        showsVersion = flags.has("version")
        showsHelp = flags.has("help")
        systemdCgroup = flags.has("systemd-cgroup")
        rootless = try RootlessMode(flags["rootless"])
    }

    private static func absolute(_ given: String?) throws(RuntimeError) -> String {
        guard var root = given else { return standardRoot() }
        if root.utf8.first != UInt8(ascii: "/") {
            guard let here = getcwd(nil, 0) else { throw RuntimeError("--root \(root): the working directory is gone") }
            root = String(cString: here) + "/" + root
            free(here)
        }
        root = MountPlan.cleaned(root)
        if root == "/" { throw RuntimeError("Option --root argument should not be set to /") }
        return root
    }

    /// Who isn't root has a folder of their own, as with runc.
    static func standardRoot() -> String {
        if geteuid() != 0 || RootlessMode.isMappedRoot, let folder = getenv("XDG_RUNTIME_DIR"), folder.pointee != 0 {
            return String(cString: folder) + "/kubesim-oci"
        }
        return defaultRoot
    }
}
