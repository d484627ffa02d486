import CLinux
import Glibc
import Linux

/// One container's folder below `--root`, locked: two commands on one container wait for each other.
///
/// It holds `state.json` (``ContainerRecord``), `config.json` (a copy of the bundle's, so that nobody changes it later) and,
/// while the container waits for `start`, the socket `start`.
final class StateDirectory {
    let path: String
    let descriptor: Descriptor

    var recordPath: String { path + "/state.json" }
    var configPath: String { path + "/config.json" }
    var gatePath: String { path + "/start" }

    /// Whether `start` has not been called yet.
    var isWaitingForStart: Bool { File.exists("start", at: descriptor.raw) }

    private init(path: String, descriptor: consuming Descriptor) {
        self.path = path
        self.descriptor = descriptor
    }

    /// Makes the folder (0700) for a new container and locks it.
    static func make(_ id: ContainerID, root: String) throws(RuntimeError) -> StateDirectory {
        let path = root + "/" + id.text
        do throws(SystemError) {
            if mkdir(path, 0o700) < 0 {
                var reason = Errno.current
                if reason == .noEntry {
                    try Directory.make(root, mode: 0o700)
                    if mkdir(path, 0o700) == 0 { reason = Errno(rawValue: 0) } else { reason = .current }
                }
                if reason.rawValue != 0 { throw SystemError("mkdir", path: path, errno: reason) }
            }
            return StateDirectory(path: path, descriptor: try lock(path))
        } catch {
            if error.errno == .exists { throw RuntimeError("container with id \(id) exists: \(path)") }
            throw RuntimeError("state directory", error)
        }
    }

    /// Opens and locks an existing container's folder.
    static func open(_ id: ContainerID, root: String) throws(RuntimeError) -> StateDirectory {
        let path = root + "/" + id.text
        do throws(SystemError) {
            let descriptor = try lock(path)
            // Another command may have deleted the folder while this one waited for the lock.
            if try descriptor.status().raw.links == 0 { throw SystemError("open", path: path, errno: .noEntry) }
            return StateDirectory(path: path, descriptor: descriptor)
        } catch {
            if error.errno == .noEntry { throw .noContainer(id, path) }
            throw RuntimeError("state directory", error)
        }
    }

    private static func lock(_ path: String) throws(SystemError) -> Descriptor {
        let descriptor = try File.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        try check(sys_flock(descriptor.raw, LOCK_EX), "flock", path)
        return descriptor
    }

    /// Removes the folder and what is in it.
    func remove() throws(SystemError) {
        try File.remove("state.json", at: descriptor.raw)
        try File.remove("config.json", at: descriptor.raw)
        try File.remove("start", at: descriptor.raw)
        if rmdir(path) == 0 { return }
        // The notify socket's folder, or what a damaged state left.
        if Errno.current == .notEmpty { return try Directory.removeTree(path) }
        if Errno.current != .noEntry { throw SystemError("rmdir", path: path, errno: .current) }
    }
}

extension RuntimeError {
    /// runc's words, which engines look for.
    static func noContainer(_ id: ContainerID, _ path: String) -> RuntimeError {
        RuntimeError("container does not exist: \(id) (no \(path))")
    }

    var isNoContainer: Bool { description.hasPrefix("container does not exist") }
}

extension StateDirectory {
    /// Lets the next command on the container in, while this one goes on without touching its state.
    func unlock() { sys_flock(descriptor.raw, LOCK_UN) }

    /// Locks it once more. False when the container was deleted meanwhile.
    func lockAgain() throws(RuntimeError) -> Bool {
        try step("state directory") { () throws(SystemError) in
            try check(sys_flock(descriptor.raw, LOCK_EX), "flock", path)
            return try descriptor.status().links != 0
        }
    }
}
