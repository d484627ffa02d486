import CLinux
import Glibc
import Linux
import OCISpec

/// `start`: releases the init of a created container, and says when it couldn't become its program.
enum Start {
    static func run(_ id: ContainerID, root: String, log: Log) throws(RuntimeError) {
        let directory = try StateDirectory.open(id, root: root)
        let record = try ContainerRecord.read(in: directory)
        let status = record.status(
            isWaitingForStart: directory.isWaitingForStart, isPaused: { FreezerState.isFrozen(record) })
        switch status {
        case .created: break
        case .stopped: throw RuntimeError("cannot start a container that has stopped")
        case .running: throw RuntimeError("cannot start an already running container")
        case .paused: throw RuntimeError("cannot start a container in the paused state")
        }
        let bundle = try Bundle.parse(directory.configPath, bundle: record.bundle)
        let manager = getenv("NOTIFY_SOCKET").map { String(cString: $0) }
        let notify = try NotifySocket.listen(directory, host: manager.flatMap { $0.isEmpty ? nil : $0 })
        try release(directory, record, try bundle.seccomp(cache: root))
        try runPoststart(bundle.spec.hooks?.poststart ?? [], record)
        guard let notify, let process = try record.openInit() else { return }
        directory.unlock()
        try notify.waitUntilReady(process, mainPID: record.pid)
    }

    private static func release(
        _ directory: StateDirectory, _ record: ContainerRecord, _ filter: BundleFilter?
    ) throws(RuntimeError) {
        let listener = SeccompListener(filter, record.state(.created, as: "creating"), pid: record.pid)
        guard let process = try record.openInit() else {
            throw RuntimeError("cannot start a container that has stopped")
        }
        let socket = try step("start \(record.id)") { () throws(SystemError) in
            try UnixSocket.connect(to: directory.gatePath, .sequencedPacket)
        }
        // Whatever comes of it, nobody starts it a second time.
        try step("start \(record.id)") { () throws(SystemError) in
            try File.remove("start", at: directory.descriptor.raw)
        }
        do throws(RuntimeError) {
            try Channel(number: socket.descriptor.raw).expectExecution(listener, process)
        } catch {
            // Half started is of no use; it may be gone by itself.
            try? process.signal(SIGKILL)
            throw error
        }
    }

    /// runc's way, and the newer specification's: a container whose poststart hook fails is stopped.
    private static func runPoststart(_ hooks: [Hook], _ record: ContainerRecord) throws(RuntimeError) {
        do throws(RuntimeError) {
            try HookRunner.run(hooks, "poststart", record.state(.running))
        } catch {
            // It may have ended by itself meanwhile; the hook's failure is what must be told.
            try? record.openInit()?.signal(SIGKILL)
            throw error
        }
    }
}
