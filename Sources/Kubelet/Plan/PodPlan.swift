/// What to do for one pod now, and when to look again if nothing happens before.
struct PodPlan: Sendable, Hashable {
    /// On distinct hands, so that all may run at once.
    var actions: [PodAction] = []
    /// Why a container is not running, by name, where the runtime can't know.
    var waiting: [String: Waiting] = [:]
    /// Plan again at this time even when nothing has happened.
    var nextLook: WallTime?
    /// No container will be started again.
    var isFinished = false

    mutating func look(at time: WallTime) { nextLook = nextLook.map { min($0, time) } ?? time }
}

/// A container's waiting state.
struct Waiting: Sendable, Hashable {
    var reason: String
    var message: String
}

/// One step, with everything that whoever takes it must know.
enum PodAction: Sendable, Hashable {
    case createSandbox(attempt: UInt32)
    /// No container in it runs any more.
    case stopSandbox(String)
    /// It holds no container that is still wanted.
    case removeSandbox(String)
    case start(StartOrder)
    case kill(KillOrder)
    /// Dead containers that nobody will look at again.
    case remove(containers: [String])
    /// The runtime has nothing left of the pod: take away what the kubelet made for it.
    case finish

    /// The hand that does it.
    var hand: Hand {
        switch self {
        case .createSandbox, .stopSandbox, .finish: .sandbox
        case .start(let order): .container(order.name)
        case .kill(let order): .container(order.name)
        case .removeSandbox, .remove: .tidy
        }
    }
}

struct StartOrder: Sendable, Hashable {
    var name: String
    var sandbox: String
    /// The restart count of the container to be made.
    var attempt: Int
    /// A container that was created and not started yet: it is started as it is.
    var created: String?
    /// A container that could not be started and is taken away first.
    var replaces: String?
    /// When the one before ended: it makes this start a restart.
    var previousEnd: WallTime?
}

struct KillOrder: Sendable, Hashable {
    enum Why: Sendable, Hashable {
        case liveness(String)
        case startup(String)
        case definitionChanged
        case unknownState
        case sandboxGone
        case podStopped
        case podFinished
        case deadline
    }

    var id: String
    var name: String
    var why: Why
    /// Seconds; nil: the pod's own.
    var graceSeconds: Int64?
}

extension PodAction: CustomStringConvertible {
    /// For the debug log: a decision in a few words.
    var description: String {
        switch self {
        case .createSandbox(let attempt): "create sandbox #\(attempt)"
        case .stopSandbox(let id): "stop sandbox \(id.prefix(12))"
        case .removeSandbox(let id): "remove sandbox \(id.prefix(12))"
        case .start(let order):
            "start \(order.name) #\(order.attempt)" + (order.created.map { " as made (\($0.prefix(12)))" } ?? "")
                + (order.replaces.map { " in place of \($0.prefix(12))" } ?? "")
        case .kill(let order): "kill \(order.name) (\(order.id.prefix(12))): \(order.why.text)"
        case .remove(let ids): "remove " + ids.map { String($0.prefix(12)) }.joined(separator: " ")
        case .finish: "finish"
        }
    }
}
