import CLinux
import Glibc

/// Threads for work that blocks: made when there is work, kept for a moment, and shared out among lanes.
///
/// A lane has a few threads at most; its further work waits in order behind what hangs there. So however many lanes hang, the
/// others find a thread. Not Dispatch's: it has 64 in all, for every library in the process.
final class BlockingThreads: @unchecked Sendable {
    typealias Work = @Sendable () -> Void

    private struct Lane {
        var running = 0
        var waiting: [Work] = []
    }

    // Guarded by `mutex`.
    private var lanes: [String: Lane] = [:]
    /// Lanes that have work and may run it, in the order they came.
    private var ready: [(lane: String, work: Work)] = []
    private var threads = 0
    private var idle = 0

    private let name: String
    private let most: Int
    private let mostInLane: Int
    private let mostInCommon: Int
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    /// How much may wait in a lane with a name: more than a busy client asks for at once of one pod.
    private static let mostWaiting = 512
    /// How long a thread that has nothing to do waits for the next work.
    private static let patienceSeconds = 5

    /// - Parameters:
    ///   - name: shown by `ps -L`; at most 15 bytes
    ///   - most: threads in all
    ///   - mostInLane: threads that one lane has at once
    ///   - mostInCommon: threads of the lane without a name, which is everybody's
    init(name: String, most: Int, mostInLane: Int, mostInCommon: Int) {
        self.name = name
        self.most = most
        self.mostInLane = mostInLane
        self.mostInCommon = mostInCommon
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Has `work` run in a lane, some time. False when so much waits in the lane that something must hang there.
    func add(_ name: String, _ work: @escaping Work) -> Bool {
        pthread_mutex_lock(mutex)
        var lane = lanes[name] ?? Lane()
        guard name.isEmpty || lane.waiting.count < Self.mostWaiting else {
            pthread_mutex_unlock(mutex)
            return false
        }
        if lane.running < (name.isEmpty ? mostInCommon : mostInLane) {
            lane.running += 1
            ready.append((name, work))
        } else {
            lane.waiting.append(work)
        }
        lanes[name] = lane
        if ready.count > idle, threads < most, start() { threads += 1 }
        pthread_cond_signal(condition)
        let isStranded = threads == 0
        pthread_mutex_unlock(mutex)
        // Not one thread can be made: the work is done here rather than never.
        if isStranded { drain(keep: false) }
        return true
    }

    private func start() -> Bool {
        var thread = pthread_t()
        let retained = Unmanaged.passRetained(self)
        let failed = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let threads = Unmanaged<BlockingThreads>.fromOpaque(argument).takeRetainedValue()
                // PR_SET_NAME (prctl(2)).
                threads.name.withCString { _ = sys_prctl(15, UInt(bitPattern: $0), 0, 0, 0) }
                threads.drain(keep: true)
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
            if let next = ready.first {
                ready.removeFirst()
                pthread_mutex_unlock(mutex)
                next.work()
                pthread_mutex_lock(mutex)
                finished(next.lane)
            } else if !keep || !waitForWork() {
                break
            }
        }
        if keep { threads -= 1 }
        pthread_mutex_unlock(mutex)
    }

    /// A piece of work of a lane is done: its next one may run.
    private func finished(_ name: String) {
        guard var lane = lanes[name] else { return }
        if lane.waiting.isEmpty {
            lane.running -= 1
            lanes[name] = lane.running == 0 ? nil : lane
        } else {
            ready.append((name, lane.waiting.removeFirst()))
            lanes[name] = lane
        }
    }

    /// False when none came in time.
    private func waitForWork() -> Bool {
        var until = timespec()
        clock_gettime(CLOCK_MONOTONIC, &until)
        until.tv_sec += Self.patienceSeconds
        idle += 1
        defer { idle -= 1 }
        while ready.isEmpty {
            if pthread_cond_timedwait(condition, mutex, &until) == ETIMEDOUT { return !ready.isEmpty }
        }
        return true
    }
}
