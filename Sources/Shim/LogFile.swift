import CLinux
import Glibc
import Linux
import ShimProtocol

/// A container's log file, reached only below its pod's log directory, which stays open: whoever can write there (a pod with
/// a hostPath to the logs) can't make the shim write anywhere else.
final class LogFile {
    private let place: LogPlace
    private let directory: Descriptor
    private var file: Descriptor
    /// Bytes that could not be written: the disk is full. The container goes on all the same.
    private(set) var lostBytes: UInt64 = 0

    /// Opens or makes the file and the directories above it. A symbolic link on the way, another kind of file than a regular
    /// one, or one with a second name is refused.
    init(_ place: LogPlace) throws(ShimFailure) {
        self.place = place
        do throws(SystemError) {
            guard place.directory.hasPrefix("/") else {
                throw SystemError("open", path: place.directory, errno: .invalid)
            }
            var path = place.directory
            while path.count > 1, path.hasSuffix("/") { path.removeLast() }
            try Directory.make(path)
            directory = try File.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            file = try Self.open(place.path, below: directory.raw)
        } catch {
            throw ShimFailure(.system, "log below \(place.directory): \(error)")
        }
    }

    /// After a rotation has renamed the file: goes on in a new one. The old one stays in use when this fails.
    func reopen() throws(ShimFailure) {
        do throws(SystemError) {
            file = try Self.open(place.path, below: directory.raw)
        } catch {
            throw ShimFailure(.system, "reopen the log below \(place.directory): \(error)")
        }
    }

    /// Appends whole lines. On a full disk, what doesn't fit is dropped by whole lines and counted.
    func write(_ lines: [UInt8]) {
        var written = 0
        let failed = lines.withUnsafeBytes { buffer -> Bool in
            while written < buffer.count {
                guard let count = try? file.write(UnsafeRawBufferPointer(rebasing: buffer[written...])), count > 0
                else {
                    return true
                }
                written += count
            }
            return false
        }
        guard failed else { return }
        let whole = lines[..<written].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        lostBytes += UInt64(lines.count - whole)
        if written > whole, let size = try? file.status().size {
            // A torn line would spoil the one after it.
            _ = ftruncate(file.raw, off_t(size) - off_t(written - whole))
        }
    }

    private static let rules: RootedPath.Resolve = [.beneath, .noSymlinks, .noMagicLinks]

    private static func open(_ path: String, below root: Int32) throws(SystemError) -> Descriptor {
        let parts = path.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
        guard let name = parts.last, !parts.contains(".."), !path.hasPrefix("/") else {
            throw SystemError("open", path: path, errno: .invalid)
        }
        var parent = try RootedPath.open(".", OpenFlag.path | O_DIRECTORY, root: root, resolve: rules)
        for part in parts.dropLast() where part != "." {
            if mkdirat(parent.raw, part, 0o755) < 0, errno != EEXIST {
                throw SystemError("mkdir", path: path, errno: .current)
            }
            parent = try RootedPath.open(
                part, OpenFlag.path | O_DIRECTORY | O_NOFOLLOW, root: parent.raw, resolve: rules)
        }
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
        let file = try RootedPath.open(name, flags, mode: 0o640, root: parent.raw, resolve: rules)
        let status = try file.status()
        guard status.isRegular, status.raw.links == 1 else {
            throw SystemError("not a file of its own (links: \(status.raw.links)): open", path: path, errno: .perm)
        }
        return file
    }
}
