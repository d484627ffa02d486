import Glibc
import Linux

/// An open log, read line by line; an incomplete last line waits for its rest.
struct LogFile: ~Copyable {
    let path: String
    private let descriptor: Descriptor
    private let identity: FileStatus
    private var pending: [UInt8] = []

    /// The longest line that is kept while its end is awaited, in bytes; the runtime splits lines at 16 KiB.
    private static let longestLine = 1 << 20

    init(_ path: String) throws { try self.init(at: path, of: path) }

    /// - Parameter path: the log's own name, which another file may have by now.
    private init(at place: String, of path: String) throws {
        let descriptor: Descriptor
        do { descriptor = try File.open(place) } catch { throw Failure("the log can't be read: \(error)") }
        let identity = try descriptor.status()
        self.init(path, descriptor, identity)
    }

    private init(_ path: String, _ descriptor: consuming Descriptor, _ identity: FileStatus) {
        self.path = path
        self.descriptor = descriptor
        self.identity = identity
    }

    /// Puts the reading position before the last `count` lines.
    func seek(toLast count: Int) throws {
        var end = lseek(descriptor.raw, 0, SEEK_END)
        guard end > 0, count > 0 else { return }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var lines = 0
        var last = true
        while end > 0 {
            let length = min(buffer.count, Int(end))
            let start = end - off_t(length)
            let got = pread(descriptor.raw, &buffer, length, start)
            guard got == length else { break }
            for index in stride(from: length - 1, through: 0, by: -1) where buffer[index] == 10 {
                // The end of the last line ends no line before it.
                if last, start + off_t(index) == lseek(descriptor.raw, 0, SEEK_END) - 1 {
                    last = false
                    continue
                }
                lines += 1
                if lines == count {
                    lseek(descriptor.raw, start + off_t(index) + 1, SEEK_SET)
                    return
                }
            }
            end = start
        }
        lseek(descriptor.raw, 0, SEEK_SET)
    }

    /// Reads what is there and hands out every whole line, until the end or until `body` has enough.
    ///
    /// - Parameter final: whether a last line without an end is handed out too.
    mutating func readLines(final: Bool, _ body: (ArraySlice<UInt8>) -> Bool) throws {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = try buffer.withUnsafeMutableBytes { try descriptor.read(into: $0) }
            if count == 0 { break }
            pending += buffer[..<count]
            var start = 0
            while let end = pending[start...].firstIndex(of: 10) {
                guard body(pending[start...end]) else { return }
                start = end + 1
            }
            pending.removeFirst(start)
            if pending.count > Self.longestLine { pending.removeAll() }
        }
        if final, !pending.isEmpty {
            _ = body(pending[...])
            pending.removeAll()
        }
    }

    /// `20060102-150405`, and perhaps a number that makes it one of several in a second: how kubelet and the shim name what
    /// they rotate.
    private static func isStamp(_ ending: Substring) -> Bool {
        let parts = ending.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts[0].count == 15 else { return false }
        if parts.count == 2, !parts[1].allSatisfy(\.isNumber) { return false }
        return parts[0].enumerated().allSatisfy { $0 == 8 ? $1 == "-" : $1.isNumber }
    }

    /// Whether another file is at the path by now, because the log was rotated.
    var wasReplaced: Bool {
        // Nothing is there while the runtime moves the old one away.
        guard let now = try? FileStatus(path) else { return false }
        return !now.isSameFile(as: identity)
    }

    /// The file that came after this one: several may have, since somebody looked. When this one is gone, the oldest that
    /// is left. Nil when none can be opened.
    func successor() -> LogFile? {
        let slash = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        let (directory, name) = (String(path[..<slash]), path[slash...])
        // Sorted they are in the order of time. Compressed ones are not read.
        let rotated = ((try? Directory.names(directory.isEmpty ? "." : directory)) ?? [])
            .filter { $0.hasPrefix(name + ".") && Self.isStamp($0.dropFirst(name.count + 1)) }
            .sorted()
        let own = identity
        let place = rotated.firstIndex { (try? FileStatus(directory + $0))?.isSameFile(as: own) ?? false }
        for later in rotated[(place.map { $0 + 1 } ?? rotated.startIndex)...] {
            if let file = try? LogFile(at: directory + later, of: path) { return file }
        }
        return try? LogFile(path)
    }
}
