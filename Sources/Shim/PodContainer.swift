import Glibc
import Linux
import ShimProtocol

/// One container of the pod, from `create` to `delete`.
final class PodContainer {
    let id: String
    let request: CreateRequest
    var stage = ContainerStage.creating
    var pid: pid_t = 0
    var createdAt: Int64 = 0
    var startedAt: Int64 = 0
    /// The first process was reaped; set before `exit`, which follows once its output is in the log.
    var end: ProcessEnd?
    var exit: ExitRecord?
    /// `start` is under way; its answer comes before the news of an exit.
    var isStarting = false
    /// The runtime makes it.
    var creation: RuntimeCommand?
    /// The runtime deletes it.
    var isDeleting = false
    /// Whoever wants it gone wants it also when the runtime's own state is damaged.
    var isDeletedByForce = false

    var log: LogFile?
    var outputs: [OutputPump] = []
    var input: InputPump?
    var terminal: Descriptor?
    var memory: MemoryEvents?
    /// The runtime kills what is left of a container without a pid namespace of its own.
    var isKillingRest = false
    /// What remains of the wait for output that others hold open.
    var grace: UInt64?
    /// Those who asked for its deletion and wait for its end.
    var deletions: [PendingDeletion] = []

    var execs: [String: ContainerExec] = [:]
    /// Execs that have ended, oldest first.
    private var endedExecs: [String] = []

    init(_ request: CreateRequest) {
        id = request.id
        self.request = request
    }

    /// Keeps how an exec ended, and forgets the oldest.
    func remember(ended exec: ContainerExec) {
        endedExecs.append(exec.id)
        if endedExecs.count > ContainerExec.mostEnded { execs[endedExecs.removeFirst()] = nil }
    }

    /// A name may be used again once its process has ended.
    func forget(exec id: String) {
        execs[id] = nil
        endedExecs.removeAll { $0 == id }
    }

    var info: ContainerInfo {
        ContainerInfo(
            id: id, stage: stage, pid: pid, createdAtNanoseconds: createdAt, startedAtNanoseconds: startedAt,
            exit: exit, lostLogBytes: log?.lostBytes ?? 0,
            execs: execs.values.filter { $0.pid != 0 }
                .map { ExecInfo(id: $0.id, pid: $0.pid, exit: $0.exit) }
                .sorted { $0.id < $1.id })
    }
}

/// A process that `exec` started, or is starting (`pid` is 0).
final class ContainerExec {
    /// How many may live at once in a container, and of how many that ended the record is kept: `info` fits into a frame.
    static let mostLiving = 256
    static let mostEnded = 64

    let id: String
    var pid: pid_t = 0
    var exit: ExitRecord?

    init(_ id: String) {
        self.id = id
    }
}

/// What the kernel said of a process when it was reaped, and when that was.
struct ProcessEnd {
    let status: ExitStatus
    let at: Int64

    func record(pid: pid_t, oomKilled: Bool = false) -> ExitRecord {
        var signal: Int32 = 0
        if case .signalled(let number) = status { signal = number }
        return ExitRecord(
            pid: pid, exitCode: status.shellCode, signal: signal, finishedAtNanoseconds: at, oomKilled: oomKilled)
    }
}

/// A `delete` that waits for the end of the container.
struct PendingDeletion {
    let responder: Responder
    let deadlineMilliseconds: Int64
}
