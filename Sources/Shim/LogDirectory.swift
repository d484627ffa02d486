import CLinux
import Glibc
import Linux
import ShimProtocol

/// Where a container's log and the files that it was before lie. Every name is resolved below the pod's log directory, which
/// stays open, without following a link.
final class LogDirectory {
    private static let rules: RootedPath.Resolve = [.beneath, .noSymlinks, .noMagicLinks]
    /// RENAME_EXCHANGE of renameat2(2).
    private static let exchange: UInt32 = 2
    /// How many names of a directory are looked at: others may have filled it.
    private static let mostNames = 4096

    /// The log's path, for messages.
    var path: String { "\(place.directory)/\(place.path)" }

    private let place: LogPlace
    private let root: Descriptor
    /// The directories between, and the log's own name.
    private let folders: [String]
    private let name: String
    private var endings = RotatedNames()

    init(_ place: LogPlace) throws(SystemError) {
        self.place = place
        guard place.directory.hasPrefix("/") else { throw SystemError("open", path: place.directory, errno: .invalid) }
        var path = place.directory
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        try Directory.make(path)
        root = try File.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        let parts = place.path.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
        guard let name = parts.last, !parts.contains(".."), !place.path.hasPrefix("/") else {
            throw SystemError("open", path: place.path, errno: .invalid)
        }
        self.name = name
        folders = parts.dropLast().filter { $0 != "." }
    }

    /// The log, which is made when it is missing.
    func open() throws(SystemError) -> Descriptor {
        // Named, so that it stays open for as long as something is opened below it.
        let parent = try parent()
        return try open(below: parent.raw)
    }

    /// Puts an empty file in the log's place and gives the old one a name of its own, as kubelet names it. There is a file of
    /// the log's name at every moment, and never more than the limit allows.
    ///
    /// - Parameter file: the log as it is open. When another file has taken its name (somebody else has rotated), that one is
    ///   gone on with.
    /// - Returns: the file to go on with.
    func rotate(_ file: borrowing Descriptor, _ limit: LogLimit) throws(SystemError) -> Descriptor {
        let parent = try parent()
        let current = try? FileStatus(at: parent.raw, name, followLinks: false)
        guard let current, current.isSameFile(as: try file.status()) else {
            let next = try open(below: parent.raw)
            try prune(to: limit.files - 1, fileBytes: limit.fileBytes)
            return next
        }
        try prune(to: limit.files - 2, fileBytes: limit.fileBytes)
        var rotated = ""
        let fresh = try makeFresh(parent.raw, named: &rotated)
        do throws(SystemError) {
            try File.rename(rotated, name, fromDirectory: parent.raw, toDirectory: parent.raw, flags: Self.exchange)
            // One from before the limit may be too large to be kept.
            if current.size > limit.fileBytes { try prune(to: limit.files - 1, fileBytes: limit.fileBytes) }
            return fresh
        } catch {
            // A filesystem that can't exchange: for a moment the log has no file.
            try File.rename(name, rotated, fromDirectory: parent.raw, toDirectory: parent.raw)
            return try open(below: parent.raw)
        }
    }

    /// Removes the oldest of the files that the log was before, until there are `count` of them and together they are not
    /// larger than as many full ones.
    func prune(to count: Int, fileBytes: Int64) throws(SystemError) {
        let parent = try parent()
        var kept = 0
        var bytes: Int64 = 0
        for rotated in try rotated(in: parent).sorted().reversed() {
            let size = (try? FileStatus(at: parent.raw, rotated, followLinks: false).size) ?? 0
            kept += 1
            bytes = bytes.addingReportingOverflow(Int64(clamping: size)).partialValue
            if kept <= count, (0...Int64(count) * fileBytes).contains(bytes) { continue }
            // A directory of that name is not ours.
            try? File.remove(rotated, at: parent.raw)
        }
    }

    /// The names of the files that the log was before: `0.log.20060102-150405`, whoever named them so, and whatever stands
    /// behind that. A name that merely begins like this log's may be another container's log.
    private func rotated(in parent: borrowing Descriptor) throws(SystemError) -> [String] {
        try Directory.names(of: parent, limit: Self.mostNames).filter { other in
            other.hasPrefix(name + ".") && RotatedNames.isStamp(other.utf8.dropFirst(name.utf8.count + 1).prefix(15))
        }
    }

    /// Makes an empty file under the name that the full one is to have.
    private func makeFresh(_ parent: Int32, named rotated: inout String) throws(SystemError) -> Descriptor {
        var last = SystemError("open", path: name, errno: .exists)
        for _ in 0..<16 {
            rotated = name + endings.next(Clock.wallNanoseconds())
            do throws(SystemError) {
                let flags = O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY
                return try RootedPath.open(rotated, flags, mode: 0o640, root: parent, resolve: Self.rules)
            } catch {
                guard error.errno == .exists else { throw error }
                last = error
            }
        }
        throw last
    }

    /// The directory that the log lies in.
    private func parent() throws(SystemError) -> Descriptor {
        var parent = try RootedPath.open(".", OpenFlag.path | O_DIRECTORY, root: root.raw, resolve: Self.rules)
        for folder in folders {
            if mkdirat(parent.raw, folder, 0o755) < 0, errno != EEXIST {
                throw SystemError("mkdir", path: place.path, errno: .current)
            }
            parent = try RootedPath.open(
                folder, OpenFlag.path | O_DIRECTORY | O_NOFOLLOW, root: parent.raw, resolve: Self.rules)
        }
        return parent
    }

    private func open(below parent: Int32) throws(SystemError) -> Descriptor {
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
        let file = try RootedPath.open(name, flags, mode: 0o640, root: parent, resolve: Self.rules)
        let status = try file.status()
        guard status.isRegular, status.raw.links == 1 else {
            throw SystemError(
                "not a file of its own (links: \(status.raw.links)): open", path: place.path, errno: .perm)
        }
        return file
    }
}

/// The endings of files that a log was before, in the order of time, and so sorted: `.20060102-150405`, the second of a second
/// `.20060102-150405.0001`. Times are in UTC.
struct RotatedNames {
    private static let mostInSecond = 9999

    private var second: Int64 = .min
    private var count = 0

    /// The next ending, later than all before, also when the clock was set back.
    mutating func next(_ nanoseconds: Int64) -> String {
        let now = nanoseconds / 1_000_000_000
        if now > second {
            second = now
            count = 0
        } else if count < Self.mostInSecond {
            count += 1
        } else {
            second += 1
            count = 0
        }
        let stamp = ".\(Self.stamp(second))"
        return count == 0 ? stamp : "\(stamp).\(Self.digits(count, 4))"
    }

    /// Whether it is `20060102-150405`.
    static func isStamp(_ text: Substring.UTF8View) -> Bool {
        text.count == 15
            && text.enumerated().allSatisfy { $0.offset == 8 ? $0.element == 0x2d : (0x30...0x39).contains($0.element) }
    }

    private static func stamp(_ second: Int64) -> String {
        let date = LogTimestamp.civil(days: Int(second / 86_400))
        let left = Int(second % 86_400)
        return digits(date.year, 4) + digits(date.month, 2) + digits(date.day, 2) + "-" + digits(left / 3600, 2)
            + digits(left / 60 % 60, 2) + digits(left % 60, 2)
    }

    private static func digits(_ value: Int, _ count: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(count - text.utf8.count, 0)) + text
    }
}
