import Glibc

/// What stands before the command.
struct GlobalOptions {
    var root: String
    var log: Log
    var showsVersion = false
    var showsHelp = false

    static let defaultRoot = "/run/kubesim-oci"

    init(_ arguments: inout Arguments) throws(RuntimeError) {
        let flags = try arguments.flags(
            values: ["root", "log", "log-format", "rootless", "criu"],
            switches: ["debug", "systemd-cgroup", "v|version", "h|help"])
        root = flags["root"] ?? GlobalOptions.defaultRoot
        if root.utf8.first != UInt8(ascii: "/") {
            guard let here = getcwd(nil, 0) else { throw RuntimeError("--root \(root): the working directory is gone") }
            root = String(cString: here) + "/" + root
            free(here)
        }
        while root.utf8.count > 1, root.hasSuffix("/") { root.removeLast() }
        log = Log(path: flags["log"])
        switch flags["log-format"] {
        case nil, "text"?: log.format = .text
        case "json"?: log.format = .json
        case let other?: throw RuntimeError("unknown log-format \"\(other)\"")
        }
        log.showsDebug = flags.has("debug")
        showsVersion = flags.has("version")
        showsHelp = flags.has("help")
        if flags.has("systemd-cgroup") {
            failure = RuntimeError("--systemd-cgroup: the systemd cgroup driver is not supported yet")
        }
        if let rootless = flags["rootless"], rootless == "true" {
            failure = RuntimeError("--rootless=true is not supported yet")
        }
    }

    /// A flag that was understood but can't be had: said once the log is known.
    private(set) var failure: RuntimeError?
}
