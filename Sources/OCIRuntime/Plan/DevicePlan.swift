import Glibc
import Linux
import OCISpec

/// One device node of the container.
struct DevicePlan: Hashable, Sendable {
    var path: String
    /// S_IFCHR, S_IFBLK or S_IFIFO.
    var type: UInt32
    var major: UInt32 = 0
    var minor: UInt32 = 0
    var mode: UInt32 = 0o666
    var uid: UInt32 = 0
    var gid: UInt32 = 0

    init(path: String, type: UInt32 = S_IFCHR, major: UInt32, minor: UInt32) {
        (self.path, self.type, self.major, self.minor) = (path, type, major, minor)
    }

    init(_ device: LinuxDevice) throws(RuntimeError) {
        path = device.path
        let place = "linux.devices: \(device.path)"
        switch device.type {
        case "c", "u": type = S_IFCHR
        case "b": type = S_IFBLK
        case "p": type = S_IFIFO
        default: throw RuntimeError("\(place): unknown type \"\(device.type)\" (c, b, u or p)")
        }
        if path.utf8.first != UInt8(ascii: "/") { throw RuntimeError("\(place): the path is not absolute") }
        if type != S_IFIFO {
            guard let major = device.major.flatMap({ UInt32(exactly: $0) }),
                let minor = device.minor.flatMap({ UInt32(exactly: $0) })
            else { throw RuntimeError("\(place): needs a major and a minor number") }
            (self.major, self.minor) = (major, minor)
        }
        mode = (device.fileMode ?? 0o666) & 0o7777
        uid = device.uid ?? 0
        gid = device.gid ?? 0
    }

    /// The specification's default devices; `/dev/console` and `/dev/ptmx` are made with the terminal.
    static let defaults = [
        DevicePlan(path: "/dev/null", major: 1, minor: 3), DevicePlan(path: "/dev/zero", major: 1, minor: 5),
        DevicePlan(path: "/dev/full", major: 1, minor: 7), DevicePlan(path: "/dev/random", major: 1, minor: 8),
        DevicePlan(path: "/dev/urandom", major: 1, minor: 9), DevicePlan(path: "/dev/tty", major: 5, minor: 0),
    ]

    /// Links that programs expect (runtime-spec, config-linux.md, "Dev symbolic links").
    static let links = [
        ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
        ("core", "/proc/kcore"),
    ]
}
