import CLinux
import Glibc

/// A few threads for work that blocks, so that no cooperative thread ever waits for the disk.
///
/// Threads start with the first work and end with the pool.
final class BlockingPool: Sendable {
    private let queue: WorkQueue

    /// - Parameters:
    ///   - name: shown by `ps -L`; at most 15 bytes
    ///   - threads: how many pieces of work run at once; the others wait in order
    init(name: String, threads: Int) {
        queue = WorkQueue(name: name, threads: threads)
    }

    deinit { queue.stop() }

    /// Has `body` run on one of the threads, some time.
    func post(_ body: @escaping @Sendable () -> Void) { queue.add(body) }

    /// Runs `body` on one of the threads.
    func run<Value: Sendable, Failure: Error>(
        _ body: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let result: Result<Value, Failure> = await withCheckedContinuation { continuation in
            queue.add {
                do throws(Failure) {
                    continuation.resume(returning: .success(try body()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }
}

/// The queue outlives the pool as long as a thread holds it.
private final class WorkQueue: @unchecked Sendable {
    // Guarded by `mutex`.
    private var waiting: [@Sendable () -> Void] = []
    private var running = 0
    private var idle = 0
    private var stopped = false

    private let name: String
    private let threads: Int
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init(name: String, threads: Int) {
        self.name = name
        self.threads = threads
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func add(_ work: @escaping @Sendable () -> Void) {
        pthread_mutex_lock(mutex)
        waiting.append(work)
        if waiting.count > idle && running < threads && start() { running += 1 }
        pthread_cond_signal(condition)
        let stranded = running == 0
        pthread_mutex_unlock(mutex)
        // Not one thread can be made: the work is done here rather than never.
        if stranded { drain(keep: false) }
    }

    func stop() {
        pthread_mutex_lock(mutex)
        stopped = true
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }

    private func start() -> Bool {
        var thread = pthread_t()
        let retained = Unmanaged.passRetained(self)
        let failed = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let queue = Unmanaged<WorkQueue>.fromOpaque(argument).takeRetainedValue()
                // PR_SET_NAME (prctl(2)).
                queue.name.withCString { _ = sys_prctl(15, UInt(bitPattern: $0), 0, 0, 0) }
                queue.drain(keep: true)
                return nil
            }, retained.toOpaque())
        if failed != 0 {
            retained.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    private func drain(keep: Bool) {
        pthread_mutex_lock(mutex)
        while true {
            if let work = waiting.first {
                waiting.removeFirst()
                pthread_mutex_unlock(mutex)
                work()
                pthread_mutex_lock(mutex)
            } else if stopped || !keep {
                break
            } else {
                idle += 1
                pthread_cond_wait(condition, mutex)
                idle -= 1
            }
        }
        if keep { running -= 1 }
        pthread_mutex_unlock(mutex)
    }
}
