import CLinux
import Glibc
import Logging
import Synchronization

/// The store's directories, and the lock that keeps a second process out of them.
final class Workspace: Sendable {
    let root: String
    var layers: String { root + "/layers" }
    var content: String { root + "/content/blobs/sha256" }
    /// Not `images`: below a node's root that is where people drop tarballs.
    var images: String { root + "/content/images" }
    var drops: String { root + "/content/drops.json" }
    var snapshots: String { root + "/snapshots" }
    /// What is not finished yet, and what is being removed.
    private var temporary: String { root + "/content/tmp" }
    /// Layers that are not finished yet.
    private var unpacking: String { root + "/content/unpacking" }
    private let lock: OpenFile
    private let counter = Mutex(0)
    /// Begins the names of this run, so that they never meet those that an earlier run left.
    private let run: String
    /// Names that an earlier run left among the unfinished, by folder.
    private let leftovers: [(folder: String, names: [[CChar]])]

    /// Makes the directories and takes the lock.
    init(root: String, logger: Logger) throws(ImportFailure) {
        self.root = root
        try makeDirectories(root + "/content")
        let path = root + "/content/lock"
        lock = try OpenFile.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
        try Self.take(lock, root: root, logger: logger)
        for directory in [
            "layers", "content/blobs/sha256", "content/images", "snapshots", "content/tmp", "content/unpacking",
        ] {
            try makeDirectories(root + "/" + directory)
        }
        try SpreadFolder.mark(root + "/content/unpacking")
        run = String(UInt64.random(in: 0 ... .max), radix: 36)
        var leftovers: [(String, [[CChar]])] = []
        for folder in [root + "/content/tmp", root + "/content/unpacking"] {
            let directory = try OpenFile.directory(folder)
            leftovers.append((folder, try TreeRemoval.names(in: directory.fd, path: folder)))
        }
        self.leftovers = leftovers
    }

    /// Removes what an interrupted import or removal left; that can be much, so nobody should wait for it.
    func removeLeftovers() throws(ImportFailure) {
        for (folder, names) in leftovers {
            let directory = try OpenFile.directory(folder)
            for name in names {
                try TreeRemoval.remove(name.dropLast().map { UInt8(bitPattern: $0) }, in: directory.fd, path: folder)
            }
        }
    }

    /// Takes the lock, or says who has it. A process that is just ending is waited for: one that was killed ends only when
    /// its last write is on the disk.
    private static func take(_ lock: OpenFile, root: String, logger: Logger) throws(ImportFailure) {
        let pause: UInt32 = 50_000
        var waited: UInt32 = 0
        while true {
            let result = sys_flock(lock.fd, LOCK_EX | LOCK_NB)
            if result == 0 { break }
            guard result == -EWOULDBLOCK else { throw .call("lock", root, result) }
            let holder = holder(of: lock)
            guard waited < 2_000_000 || holder.isEnding && waited < 60_000_000 else {
                throw .failed(
                    step: "open the image store", path: root,
                    reason: "another process uses it (stop process \(holder.pid), or choose another root)")
            }
            if waited == 1_000_000 {
                logger.warning("Waiting for another process that uses the image store", metadata: ["root": "\(root)"])
            }
            usleep(pause)
            waited += pause
        }
        let pid = Array("\(getpid())\n".utf8)
        try checkErrno(ftruncate(lock.fd, 0), "write", root + "/content/lock")
        _ = pid.withUnsafeBytes { pwrite(lock.fd, $0.baseAddress, $0.count, 0) }
    }

    /// Who wrote its process id into the lock, and whether it is about to be gone (proc_pid_stat(5)).
    private static func holder(of lock: OpenFile) -> (pid: String, isEnding: Bool) {
        var buffer = [UInt8](repeating: 0, count: 16)
        let count = pread(lock.fd, &buffer, buffer.count, 0)
        let pid = String(decoding: buffer.prefix(max(0, count)).prefix { $0 > 0x20 }, as: UTF8.self)
        guard pid_t(pid) != nil else { return ("unknown", true) }
        // Not there any more, or not to be read: gone in a moment.
        guard let stat = (try? readFile("/proc/\(pid)/stat", limit: 4096)) ?? nil,
            let end = stat.lastIndex(of: UInt8(ascii: ")")), end + 2 < stat.count
        else { return (pid, true) }
        return (pid, "ZXD".utf8.contains(stat[end + 2]))
    }

    /// A directory of one's own for unfinished work.
    func makeTemporary() throws(ImportFailure) -> String { try make(temporaryName()) }

    /// The same for a layer, which is large and stands apart from the others.
    func makeLayer() throws(ImportFailure) -> String { try make(temporaryName(in: unpacking)) }

    private func make(_ path: String) throws(ImportFailure) -> String {
        if mkdir(path, 0o700) == 0 { return path }
        // Somebody has cleared the folder away.
        if errno == ENOENT { try makeDirectories(String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.endIndex))) }
        try checkErrno(mkdir(path, 0o700), "mkdir", path)
        return path
    }

    /// Takes something out of its place at once, and then from the disk.
    func discard(_ path: String) throws(ImportFailure) {
        let moved = temporaryName()
        if rename(path, moved) != 0 {
            if errno == ENOENT { return }
            throw .call("remove", path, -errno)
        }
        try TreeRemoval.remove(moved)
    }

    /// A file without a name, for what an import needs on the way.
    func anonymousFile() throws(ImportFailure) -> OpenFile {
        // O_TMPFILE with O_DIRECTORY's bit (open(2)).
        let flags: Int32 = 0o20000000 | O_DIRECTORY | O_RDWR
        let fd = sys_openat(AT_FDCWD, temporary, flags, 0o600)
        if fd >= 0 { return OpenFile(owning: fd) }
        let path = temporaryName()
        let file = try OpenFile.open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        unlink(path)
        return file
    }

    private func temporaryName(in folder: String? = nil) -> String {
        let number = counter.withLock { counter in
            counter += 1
            return counter
        }
        return "\(folder ?? temporary)/\(run)-\(number)"
    }
}
