import CLinux
import Glibc
import Linux

/// Whether to go on where cgroups can't be changed (`--rootless`).
enum RootlessMode: Sendable, Hashable {
    case on
    case off
    /// Found out when it matters.
    case automatic

    /// - Parameter text: runc's values; nil is "auto".
    init(_ text: String?) throws(RuntimeError) {
        switch text {
        case "true"?: self = .on
        case "false"?: self = .off
        case nil, "auto"?: self = .automatic
        case let other?: throw RuntimeError("--rootless \(other): must be true, false or auto")
        }
    }

    var isOn: Bool {
        switch self {
        case .on: true
        case .off: false
        case .automatic: geteuid() != 0 || RootlessMode.isMappedRoot
        }
    }

    /// Whether this process is root of a user namespace only (user_namespaces(7)), as it was when somebody first asked.
    static let isMappedRoot: Bool = {
        // The first namespace maps all ids on themselves; whoever can't look isn't in another one as far as it can tell.
        guard geteuid() == 0, let text = try? File.readText("/proc/self/uid_map", limit: 4096) else { return false }
        let fields = text.split { $0 == " " || $0 == "\n" }
        return !(fields.count == 3 && fields[0] == "0" && fields[1] == "0" && fields[2] == "4294967295")
    }()
}
