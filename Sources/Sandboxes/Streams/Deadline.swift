import CRI
import Synchronization

/// Runs `work` and gives up on it after `limit`, even when it ignores its cancellation.
///
/// The work is cancelled at the deadline or when the caller is cancelled; the caller goes on at once with
/// `.deadlineExceeded` or `.cancelled`, naming `step`.
///
/// - Parameter whole: the time that the caller knows of, where `limit` is what is left of it
func withDeadline<Value: Sendable>(
    _ limit: Duration, of whole: Duration? = nil, step: String, _ work: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    let race = Race<Value>()
    return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { continuation in
            race.begin(continuation)
            let worker = Task {
                do { race.finish(.success(try await work())) } catch { race.finish(.failure(error)) }
            }
            let timer = Task {
                try? await Task.sleep(for: limit)  // Cancelled when the work was quicker.
                if !Task.isCancelled {
                    race.finish(.failure(CRIError(.deadlineExceeded, "\(step): not done within \(whole ?? limit)")))
                }
            }
            race.adopt(worker: { worker.cancel() }, timer: { timer.cancel() })
            if Task.isCancelled { race.finish(.failure(CRIError(.cancelled, "\(step): the caller went away"))) }
        }
    } onCancel: {
        race.finish(.failure(CRIError(.cancelled, "\(step): the caller went away")))
    }
}

/// Resumes its continuation once, with whoever comes first, and cancels the others.
private final class Race<Value: Sendable>: Sendable {
    private struct State {
        var continuation: CheckedContinuation<Value, any Error>?
        var cancels: [@Sendable () -> Void] = []
        var finished = false
    }

    private let state = Mutex(State())

    func begin(_ continuation: CheckedContinuation<Value, any Error>) {
        state.withLock { $0.continuation = continuation }
    }

    func adopt(worker: @escaping @Sendable () -> Void, timer: @escaping @Sendable () -> Void) {
        let finished = state.withLock { state -> Bool in
            if !state.finished { state.cancels = [worker, timer] }
            return state.finished
        }
        if finished {
            worker()
            timer()
        }
    }

    func finish(_ result: Result<Value, any Error>) {
        let (continuation, cancels) = state.withLock {
            state -> (CheckedContinuation<Value, any Error>?, [@Sendable () -> Void]) in
            guard !state.finished, let continuation = state.continuation else { return (nil, []) }
            state.finished = true
            state.continuation = nil
            defer { state.cancels = [] }
            return (continuation, state.cancels)
        }
        continuation?.resume(with: result)
        for cancel in cancels { cancel() }
    }
}
