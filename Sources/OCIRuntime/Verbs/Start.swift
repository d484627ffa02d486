import CLinux
import Glibc
import Linux
import OCISpec

/// `start`: releases the init of a created container, and says when it couldn't become its program.
enum Start {
    static func run(_ id: ContainerID, root: String) throws(RuntimeError) {
        let directory = try StateDirectory.open(id, root: root)
        let record = try ContainerRecord.read(in: directory)
        let status = record.status(isWaitingForStart: directory.isWaitingForStart)
        switch status {
        case .created: break
        case .stopped: throw RuntimeError("cannot start a container that has stopped")
        case .running: throw RuntimeError("cannot start an already running container")
        case .paused: throw RuntimeError("cannot start a paused container")
        }
        try release(directory, record)
        try runPoststart(directory, record)
    }

    private static func release(_ directory: StateDirectory, _ record: ContainerRecord) throws(RuntimeError) {
        let socket = try step("start \(record.id)") { () throws(SystemError) in
            try UnixSocket.connect(to: directory.gatePath, .sequencedPacket)
        }
        // Whatever comes of it, nobody starts it a second time.
        try step("start \(record.id)") { () throws(SystemError) in
            try File.remove("start", at: directory.descriptor.raw)
        }
        let answer = try step("start \(record.id)") { () throws(SystemError) in
            do throws(SystemError) {
                return try Channel(number: socket.descriptor.raw).receive()
            } catch {
                // The init ended instead of becoming anything.
                if error.errno == .connectionReset { return (.failed, Array("the container's init was killed".utf8)) }
                throw error
            }
        }
        // Closed without a word: execve has worked, or the init was killed, which the exit code tells.
        if let answer { throw RuntimeError(String(decoding: answer.body, as: UTF8.self)) }
    }

    /// runc's way, and the newer specification's: a container whose poststart hook fails is stopped.
    private static func runPoststart(_ directory: StateDirectory, _ record: ContainerRecord) throws(RuntimeError) {
        do throws(RuntimeError) {
            let hooks = try Bundle.parse(directory.configPath, bundle: record.bundle).spec.hooks?.poststart ?? []
            try HookRunner.run(hooks, "poststart", record.state(.running))
        } catch {
            // It may have ended by itself meanwhile; the hook's failure is what must be told.
            try? record.openInit()?.signal(SIGKILL)
            throw error
        }
    }
}
