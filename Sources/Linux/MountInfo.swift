import Glibc

/// One line of /proc/PID/mountinfo (proc(5)), unescaped.
public struct MountInfo: Sendable, Hashable {
    public let id: Int
    public let parent: Int
    /// The path inside its filesystem that is mounted.
    public let root: String
    public let mountPoint: String
    public let options: String
    /// "shared:3", "master:1", "unbindable"…
    public let propagation: [String]
    public let type: String
    public let source: String
    public let superOptions: String

    /// Every mount that the process sees, in order.
    public static func all(pid: pid_t? = nil) throws(SystemError) -> [MountInfo] {
        let bytes = try File.read(pid.map { "/proc/\($0)/mountinfo" } ?? "/proc/self/mountinfo")
        var mounts: [MountInfo] = []
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            if let mount = MountInfo(line) { mounts.append(mount) }
        }
        return mounts
    }

    /// Reads one line without its newline; nil when it isn't one.
    ///
    /// Of one type and not of `some Collection`: every command reads a dozen lines, and generic code that another module calls
    /// isn't specialised, which cost two thirds of the instructions of a `state`.
    public init?(_ line: ArraySlice<UInt8>) {
        let fields = line.split(separator: UInt8(ascii: " "))
        guard fields.count >= 10,
            let dash = fields[6...].firstIndex(where: { $0.count == 1 && $0.first == UInt8(ascii: "-") }),
            fields.count >= dash + 3, let id = Int(String(decoding: fields[0], as: UTF8.self)),
            let parent = Int(String(decoding: fields[1], as: UTF8.self))
        else { return nil }
        self.id = id
        self.parent = parent
        root = MountInfo.unescaped(fields[3])
        mountPoint = MountInfo.unescaped(fields[4])
        options = String(decoding: fields[5], as: UTF8.self)
        propagation = fields[6..<dash].map { String(decoding: $0, as: UTF8.self) }
        type = String(decoding: fields[dash + 1], as: UTF8.self)
        source = MountInfo.unescaped(fields[dash + 2])
        superOptions = fields.count > dash + 3 ? String(decoding: fields[dash + 3], as: UTF8.self) : ""
    }

    /// The kernel writes space, tab, newline and backslash as three octal digits.
    private static func unescaped(_ bytes: ArraySlice<UInt8>) -> String {
        guard bytes.contains(UInt8(ascii: "\\")) else { return String(decoding: bytes, as: UTF8.self) }
        let source = Array(bytes)
        var out: [UInt8] = []
        var index = 0
        while index < source.count {
            if source[index] == UInt8(ascii: "\\"), index + 3 < source.count {
                let digits = source[(index + 1)...(index + 3)]
                if digits.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "7") }) {
                    out.append(digits.reduce(0) { $0 &* 8 &+ ($1 - UInt8(ascii: "0")) })
                    index += 4
                    continue
                }
            }
            out.append(source[index])
            index += 1
        }
        return String(decoding: out, as: UTF8.self)
    }
}
