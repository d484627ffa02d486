import CLinux
import Glibc

/// A filesystem being configured (fsopen(2), fsconfig(2), fsmount(2)).
public struct FilesystemContext: ~Copyable, Sendable {
    public let descriptor: Descriptor
    private let type: String

    /// - Parameter type: "tmpfs", "proc", "overlay"…
    public init(type: String) throws(SystemError) {
        self.type = type
        descriptor = Descriptor(owning: try check(sys_fsopen(type), "fsopen \(type)"))
    }

    /// fsconfig(2) refuses longer strings.
    public static let longestValue = 255

    public func set(_ key: String, _ value: String) throws(SystemError) {
        try check(sys_fsconfig(descriptor.raw, 1, key, value, 0), "fsconfig \(type) \(key)=\(value)\(complaint())")
    }

    public func set(flag key: String) throws(SystemError) {
        try check(sys_fsconfig(descriptor.raw, 0, key, nil, 0), "fsconfig \(type) \(key)\(complaint())")
    }

    /// Makes the filesystem and a mount of it that is nowhere yet.
    public func mount(_ attributes: MountTree.Attributes = []) throws(SystemError) -> MountTree {
        try check(sys_fsconfig(descriptor.raw, 6, nil, nil, 0), "mount \(type)\(complaint())")
        let number = try check(sys_fsmount(descriptor.raw, UInt32(attributes.rawValue)), "fsmount \(type)")
        return MountTree(Descriptor(owning: number))
    }

    /// What the filesystem itself said was wrong, as " (…)", or nothing.
    private func complaint() -> String {
        let reason = Glibc.errno
        defer { Glibc.errno = reason }
        var buffer = [UInt8](repeating: 0, count: 512)
        let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor.raw, $0.baseAddress, $0.count) }
        guard count > 2 else { return "" }
        return " (\(String(decoding: buffer[2..<count], as: UTF8.self).filter { $0 != "\n" }))"
    }
}
