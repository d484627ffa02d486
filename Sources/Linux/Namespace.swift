import CLinux
import Glibc

/// The kinds of namespaces(7), with the CLONE_NEW… flag as raw value.
public enum Namespace: UInt64, CaseIterable, Sendable, Hashable {
    case time = 0x80
    case mount = 0x0002_0000
    case cgroup = 0x0200_0000
    case uts = 0x0400_0000
    case ipc = 0x0800_0000
    case user = 0x1000_0000
    case pid = 0x2000_0000
    case network = 0x4000_0000

    /// The name below /proc/PID/ns.
    public var procName: String {
        switch self {
        case .time: "time"
        case .mount: "mnt"
        case .cgroup: "cgroup"
        case .uts: "uts"
        case .ipc: "ipc"
        case .user: "user"
        case .pid: "pid"
        case .network: "net"
        }
    }

    /// Whether this kernel has the kind.
    public var isSupported: Bool { File.exists("/proc/self/ns/\(procName)") }

    /// setns(2) into the namespace that `descriptor` names. Only for programs with one thread.
    public func join(_ descriptor: Int32, _ path: String? = nil) throws(SystemError) {
        try check(sys_setns(descriptor, Int32(truncatingIfNeeded: rawValue)), "setns \(procName)", path)
    }

    /// unshare(2). Only for programs with one thread.
    public func unshare() throws(SystemError) {
        try check(sys_unshare(Int32(truncatingIfNeeded: rawValue)), "unshare \(procName)")
    }
}
