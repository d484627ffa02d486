import Linux
import ShimProtocol

extension ShimServer {
    /// Lets a created container's process run.
    func start(_ id: String, deadlineMilliseconds: Int64, _ responder: Responder) throws(ShimFailure) {
        let container = try container(id)
        // What was restored runs since it was created, if it hasn't ended already: that is told as of any other.
        if container.request.restore != nil, container.stage != .creating, !container.isDeleting {
            return responder.succeed()
        }
        guard container.stage == .created, !container.isStarting, !container.isDeleting else {
            let stage = container.isStarting ? "being started" : container.stage.rawValue
            throw ShimFailure(.wrongStage, "container \(id) is \(stage): only a created one can be started")
        }
        container.isStarting = true
        do throws(ShimFailure) {
            try runRuntime(["start", id], deadlineMilliseconds: deadlineMilliseconds) { [unowned self] outcome in
                container.isStarting = false
                switch outcome {
                case .succeeded:
                    container.startedAt = Clock.wallNanoseconds()
                    container.stage = .running
                    responder.succeed()
                case .failed(let failure, _): responder.fail(failure)
                }
                if container.end != nil { finishContainer(container) }
            }
        } catch {
            container.isStarting = false
            throw error
        }
    }
}
