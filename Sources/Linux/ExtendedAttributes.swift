import CLinux
import Glibc

/// xattr(7). The path calls look at a last symlink itself, never at where it leads.
public enum ExtendedAttributes {
    public static func names(_ path: String) throws(SystemError) -> [String] {
        let bytes = try grow("listxattr", path) { sys_llistxattr(path, $0?.assumingMemoryBound(to: CChar.self), $1) }
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Nil when the file has no such attribute.
    public static func get(_ name: String, of path: String) throws(SystemError) -> [UInt8]? {
        do throws(SystemError) {
            return try grow("getxattr \(name)", path) { sys_lgetxattr(path, name, $0, $1) }
        } catch {
            if error.errno == .noData { return nil }
            throw error
        }
    }

    public static func set(_ name: String, _ value: [UInt8], of path: String) throws(SystemError) {
        try check(sys_lsetxattr(path, name, value, value.count, 0), "setxattr \(name)", path)
    }

    public static func set(_ name: String, _ value: [UInt8], of file: borrowing Descriptor) throws(SystemError) {
        try check(sys_fsetxattr(file.raw, name, value, value.count, 0), "setxattr \(name)")
    }

    /// An attribute that isn't there is success.
    public static func remove(_ name: String, of path: String) throws(SystemError) {
        let result = sys_lremovexattr(path, name)
        if result != -ENODATA { try check(result, "removexattr \(name)", path) }
    }

    private static func grow(
        _ call: String, _ path: String, _ body: (UnsafeMutableRawPointer?, Int) -> Int
    ) throws(SystemError) -> [UInt8] {
        var room = 256
        while true {
            var result = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
                result = body(UnsafeMutableRawPointer(buffer.baseAddress), room)
                count = max(result, 0)
            }
            if result == -Int(ERANGE), room <= 64 << 10 {
                room *= 4
                continue
            }
            try check(result, call, path)
            return bytes
        }
    }
}
