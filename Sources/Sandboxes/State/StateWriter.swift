import Dispatch
import GRDB
import Logging
import Synchronization

/// Writes changes of the state in the order they come, on a thread of its own: what comes while a transaction is written goes
/// into the next one, so that many pods at once cost little more than one.
///
/// What was committed when a call returned outlives the node's death.
final class StateWriter: Sendable {
    private struct Pending: Sendable {
        var change: StateChange
        /// nil when nobody waits for it.
        var waiter: CheckedContinuation<Void, any Error>?
    }

    private struct State {
        var queue: [Pending] = []
        /// Changes that nobody waits for and that could not be written: they come before the next ones. One an object.
        var kept: [Pending] = []
        var isDraining = false
        var isClosed = false
        /// The last transaction failed, and that was told.
        var isFailing = false
        /// Changes since the log was last carried over into the database.
        var uncheckpointed = 0
        var isCheckpointPlanned = false
    }

    /// From how many changes on the log is carried over when nothing is to be written, and from how many on in any case. (The
    /// disk is waited for then, which nobody should have to.)
    private static let (someChanges, manyChanges) = (64, 2000)
    private static let largestTransaction = 256

    private let file: StateFile
    private let database: DatabaseQueue
    private let logger: Logger
    private let thread = DispatchQueue(label: "kubesim.state-writer")
    private let state = Mutex(State())

    init(_ database: DatabaseQueue, file: StateFile, logger: Logger) {
        self.database = database
        self.file = file
        self.logger = logger
    }

    /// Writes a change and returns when it is committed.
    ///
    /// - Throws: `StateError`; the state is then as if it had never been asked.
    func commit(_ change: StateChange) async throws {
        try await withCheckedThrowingContinuation { waiter in
            add(Pending(change: change, waiter: waiter))
        }
    }

    /// Has a change written after those that came before it; what can't be written is tried again until it can.
    func post(_ change: StateChange) { add(Pending(change: change)) }

    /// Writes what is pending, then lets go of the file. Later changes are refused, and those that nobody waits for forgotten.
    func close() async {
        state.withLock { $0.isClosed = true }
        await withCheckedContinuation { done in
            thread.async { [self] in
                drain()
                do {
                    try database.close()
                } catch {
                    logger.error("the state database can't be closed", metadata: ["reason": "\(error)"])
                }
                done.resume()
            }
        }
    }

    private func add(_ pending: Pending) {
        let (isRefused, starts) = state.withLock { state -> (Bool, Bool) in
            if state.isClosed { return (true, false) }
            state.queue.append(pending)
            defer { state.isDraining = true }
            return (false, !state.isDraining)
        }
        if isRefused {
            pending.waiter?.resume(
                throwing: StateError(code: .closed, description: "the state is closed: the node is ending"))
        } else if starts {
            thread.async { [self] in drain() }
        }
    }

    /// Writes until nothing waits.
    private func drain() {
        while true {
            let batch = state.withLock { state -> [Pending] in
                guard !state.queue.isEmpty else {
                    state.isDraining = false
                    return []
                }
                defer { state.kept = [] }
                let next = state.queue.prefix(Self.largestTransaction)
                state.queue.removeFirst(next.count)
                return state.kept + next
            }
            if batch.isEmpty { break }
            write(batch)
        }
        planCheckpoint()
    }

    private func write(_ batch: [Pending]) {
        var ready: [(pending: Pending, statement: StateStatement)] = []
        for pending in batch {
            do { ready.append((pending, try pending.change.statement())) } catch {
                tell(pending, file.failure("write", error))
            }
        }
        do {
            do {
                try transact(ready.map(\.statement))
            } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {
                // The log begins anew once it is carried over, and its own room is there.
                checkpoint()
                try transact(ready.map(\.statement))
            }
        } catch {
            return failed(ready.map(\.pending), file.failure("write", error))
        }
        for entry in ready { entry.pending.waiter?.resume() }
        let (isMuch, isMended) = state.withLock { state -> (Bool, Bool) in
            state.uncheckpointed += ready.count
            defer { state.isFailing = false }
            return (state.uncheckpointed >= Self.manyChanges, state.isFailing)
        }
        if isMended { logger.notice("what has happened is written down again") }
        if isMuch { checkpoint() }
    }

    private func transact(_ statements: [StateStatement]) throws {
        try database.writeWithoutTransaction { database in
            try database.inTransaction(.immediate) {
                for statement in statements { try statement.run(database) }
                return .commit
            }
        }
    }

    /// Those who wait are told; the others' changes are true already, and are written as soon as they can be.
    private func failed(_ batch: [Pending], _ error: StateError) {
        for pending in batch where pending.waiter != nil { tell(pending, error) }
        var later: Set<String> = []
        let kept = batch.reversed().filter { $0.waiter == nil && later.insert($0.change.id).inserted }.reversed()
        guard !kept.isEmpty else { return }
        let isNews = state.withLock { state -> Bool in
            state.kept = Array(kept)
            defer { state.isFailing = true }
            return !state.isFailing
        }
        if isNews {
            logger.error(
                "what has happened can't be written down; it is tried again every second",
                metadata: ["reason": "\(error)", "objects": "\(kept.count)"])
        }
        thread.asyncAfter(deadline: .now() + .seconds(1)) { [weak self] in self?.tryAgain() }
    }

    private func tryAgain() {
        let kept = state.withLock { state -> [Pending] in
            guard !state.isClosed else { return [] }
            defer { state.kept = [] }
            return state.kept
        }
        if !kept.isEmpty { write(kept) }
    }

    private func tell(_ pending: Pending, _ error: StateError) {
        if let waiter = pending.waiter {
            waiter.resume(throwing: error)
        } else {
            logger.error("a record can't be written", metadata: ["id": "\(pending.change.id)", "reason": "\(error)"])
        }
    }

    /// When nothing was written for a second, the disk may be waited for.
    private func planCheckpoint() {
        let isDue = state.withLock { state -> Bool in
            guard state.uncheckpointed >= Self.someChanges, !state.isCheckpointPlanned, !state.isClosed else {
                return false
            }
            state.isCheckpointPlanned = true
            return true
        }
        guard isDue else { return }
        thread.asyncAfter(deadline: .now() + .seconds(1)) { [weak self] in
            guard let self else { return }
            let isOpen = state.withLock { state -> Bool in
                state.isCheckpointPlanned = false
                return !state.isClosed
            }
            if isOpen { checkpoint() }
        }
    }

    private func checkpoint() {
        do {
            try database.writeWithoutTransaction { database in _ = try database.checkpoint(.passive) }
            try file.reserve()
            state.withLock { $0.uncheckpointed = 0 }
        } catch {
            logger.debug("the state's log can't be carried over yet", metadata: ["reason": "\(error)"])
        }
    }
}
