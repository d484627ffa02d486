import Glibc

/// Lets the layers of one image be unpacked side by side and settle in order; the first failure ends them all.
final class StackGate: @unchecked Sendable {
    // Guarded by `mutex`.
    private var isDone: [Bool]
    private var failure: ImportFailure?
    private var steps: [@Sendable (ImportFailure) -> Void] = []

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init(layers: Int) {
        isDone = Array(repeating: false, count: layers)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    /// Waits until all layers below that one are there.
    func wait(for layer: Int) throws(ImportFailure) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let failure { throw failure }
            if isDone[..<layer].allSatisfy({ $0 }) { return }
            pthread_cond_wait(changed, mutex)
        }
    }

    func check() throws(ImportFailure) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        if let failure { throw failure }
    }

    func done(_ layer: Int) {
        pthread_mutex_lock(mutex)
        isDone[layer] = true
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
    }

    /// Ends the others; only the first failure counts.
    func fail(_ failure: ImportFailure) {
        pthread_mutex_lock(mutex)
        let isFirst = self.failure == nil
        if isFirst { self.failure = failure }
        let pending = isFirst ? steps : []
        steps = []
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
        for step in pending { step(failure) }
    }

    /// Has `step` done when a layer fails; at once, when one has.
    func whenFailed(_ step: @escaping @Sendable (ImportFailure) -> Void) {
        pthread_mutex_lock(mutex)
        let known = failure
        if known == nil { steps.append(step) }
        pthread_mutex_unlock(mutex)
        if let known { step(known) }
    }
}
