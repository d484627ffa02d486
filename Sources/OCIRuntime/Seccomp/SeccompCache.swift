import CLinux
import CSeccomp
import Glibc
import JSON
import Linux
import OCISpec

/// Compiled filters on disk: compiling a usual profile takes ten times as long as loading it.
///
/// A file is named by the SHA-256 of the configuration's section as it was written, libseccomp's version and the layout of the
/// file, lies below `--root` in a 0700 folder, is 0600 and our own, and carries its own checksum. Anything else is as if it
/// weren't there.
struct SeccompCache {
    /// A folder that can't be a container's: "@" is not allowed in an id.
    let folder: String
    private static let layout: UInt8 = 2
    private static let mostFiles = 64

    init(root: String) { folder = root + "/@seccomp" }

    /// - Parameter section: the JSON text of `linux.seccomp`.
    func program(for section: ArraySlice<UInt8>) throws(RuntimeError) -> SeccompProgram {
        let key = SeccompCache.key(section)
        if let found = read(key) { return found }
        let program = try SeccompCompiler.compile(try SeccompCache.parse(section))
        write(key, program)
        return program
    }

    static func parse(_ section: ArraySlice<UInt8>) throws(RuntimeError) -> LinuxSeccomp {
        do throws(JSONError) {
            return try LinuxSeccomp.read(Array(section))
        } catch {
            throw RuntimeError("config.json: linux.seccomp: \(error)")
        }
    }

    private static func key(_ section: ArraySlice<UInt8>) -> String {
        var salt: [UInt8] = [layout]
        if let version = seccomp_version()?.pointee {
            salt += "\(version.major).\(version.minor).\(version.micro)/\(seccomp_arch_native())".utf8
        }
        return SHA256.hex([salt[...], section])
    }

    /// File: flags (4 bytes, little-endian), program, SHA-256 of both as text (64 bytes).
    private func read(_ key: String) -> SeccompProgram? {
        // Any failure means that the filter is compiled anew.
        guard let file = try? File.open(folder + "/" + key, O_RDONLY | O_NOFOLLOW), let status = try? file.status(),
            status.isRegular, status.raw.uid == geteuid(), status.permissions & 0o077 == 0,
            let bytes = try? file.readAll(limit: 1 << 20), bytes.count > 68, (bytes.count - 68) % 8 == 0
        else { return nil }
        let body = bytes[..<(bytes.count - 64)]
        guard SHA256.hex([body]).utf8.elementsEqual(bytes[(bytes.count - 64)...]) else { return nil }
        let flags = (0..<4).reduce(UInt32(0)) { $0 | UInt32(body[$1]) << UInt32($1 * 8) }
        return SeccompProgram(bytes: Array(body[4...]), flags: flags)
    }

    private func write(_ key: String, _ program: SeccompProgram) {
        var body = (0..<4).map { UInt8(truncatingIfNeeded: program.flags >> UInt32($0 * 8)) }
        body += program.bytes
        body += Array(SHA256.hex([body[...]]).utf8)
        // A cache that can't be written costs time, nothing else.
        try? Directory.make(folder, mode: 0o700)
        if let names = try? Directory.names(folder), names.count >= SeccompCache.mostFiles {
            for name in names { try? File.remove(folder + "/" + name) }
        }
        try? AtomicFile.write(folder + "/" + key, body)
    }
}
