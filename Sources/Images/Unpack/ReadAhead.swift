import CLinux
import Glibc

/// Reads a source on a thread of its own, a few buffers ahead: a layer is decompressed and hashed on one core while its
/// files are written on another.
final class ReadAhead: ByteSource {
    /// What both threads hold. Everything but the source is guarded by `mutex`; the source is the thread's until it has
    /// ended.
    private final class Queue: @unchecked Sendable {
        let source: any ByteSource
        let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
        var free: [UnsafeMutableRawBufferPointer] = []
        var filled: [UnsafeRawBufferPointer] = []
        var failure: ImportFailure?
        var isOver = false
        var isStopped = false

        init(_ source: any ByteSource) {
            self.source = source
            pthread_mutex_init(mutex, nil)
            pthread_cond_init(changed, nil)
            for _ in 0..<6 { free.append(.allocate(byteCount: 1 << 18, alignment: 4096)) }
        }

        deinit {
            for buffer in free { buffer.deallocate() }
            for buffer in filled { UnsafeMutableRawBufferPointer(mutating: buffer).deallocate() }
            pthread_cond_destroy(changed)
            pthread_mutex_destroy(mutex)
            changed.deallocate()
            mutex.deallocate()
        }

        /// The thread's life.
        func run() {
            pthread_mutex_lock(mutex)
            while !isOver {
                guard let buffer = free.last, !isStopped else {
                    if isStopped { break }
                    pthread_cond_wait(changed, mutex)
                    continue
                }
                free.removeLast()
                pthread_mutex_unlock(mutex)
                let result = Result { () throws(ImportFailure) in try fill(buffer) }
                pthread_mutex_lock(mutex)
                switch result {
                case .success(let count) where count > 0:
                    filled.append(UnsafeRawBufferPointer(start: buffer.baseAddress, count: count))
                case .success:
                    free.append(buffer)
                    isOver = true
                case .failure(let error):
                    free.append(buffer)
                    failure = error
                    isOver = true
                }
                pthread_cond_signal(changed)
            }
            isOver = true
            pthread_cond_signal(changed)
            pthread_mutex_unlock(mutex)
        }

        /// Decompressors give little at a time.
        private func fill(_ buffer: UnsafeMutableRawBufferPointer) throws(ImportFailure) -> Int {
            var count = 0
            while count < buffer.count {
                let got = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
                if got == 0 { break }
                count += got
            }
            return count
        }
    }

    private let queue: Queue
    private var thread: pthread_t?
    private var current: UnsafeRawBufferPointer?
    private var offset = 0

    init(_ source: any ByteSource) {
        queue = Queue(source)
        var thread = pthread_t()
        let retained = Unmanaged.passRetained(queue)
        let failed = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let queue = Unmanaged<Queue>.fromOpaque(argument).takeRetainedValue()
                // PR_SET_NAME (prctl(2)).
                _ = "image-inflate".withCString { sys_prctl(15, UInt(bitPattern: $0), 0, 0, 0) }
                queue.run()
                return nil
            }, retained.toOpaque())
        if failed == 0 {
            self.thread = thread
        } else {
            // Without a thread the source is read where it's needed.
            retained.release()
        }
    }

    /// Nobody reads any more: the thread ends by itself, once its source lets go of it.
    deinit {
        guard let thread = askToStop() else { return }
        pthread_detach(thread)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ImportFailure) -> Int {
        if current == nil {
            guard thread != nil else { return try queue.source.read(into: buffer) }
            guard let next = try next() else { return 0 }
            current = next
            offset = 0
        }
        guard let piece = current else { return 0 }
        let count = min(buffer.count, piece.count - offset)
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: piece[offset..<offset + count]))
        offset += count
        if offset == piece.count {
            giveBack(piece)
            current = nil
        }
        return count
    }

    private func next() throws(ImportFailure) -> UnsafeRawBufferPointer? {
        pthread_mutex_lock(queue.mutex)
        defer { pthread_mutex_unlock(queue.mutex) }
        while queue.filled.isEmpty {
            if let failure = queue.failure { throw failure }
            if queue.isOver { return nil }
            pthread_cond_wait(queue.changed, queue.mutex)
        }
        return queue.filled.removeFirst()
    }

    private func giveBack(_ piece: UnsafeRawBufferPointer) {
        let whole = UnsafeMutableRawBufferPointer(
            start: UnsafeMutableRawPointer(mutating: piece.baseAddress), count: 1 << 18)
        pthread_mutex_lock(queue.mutex)
        queue.free.append(whole)
        pthread_cond_signal(queue.changed)
        pthread_mutex_unlock(queue.mutex)
    }

    /// Ends the thread and waits for it: what it read from may be used again after that.
    func stop() {
        guard let thread = askToStop() else { return }
        pthread_join(thread, nil)
    }

    /// - Returns: the thread, to the first who asks
    private func askToStop() -> pthread_t? {
        if let piece = current { giveBack(piece) }
        current = nil
        guard let thread else { return nil }
        self.thread = nil
        pthread_mutex_lock(queue.mutex)
        queue.isStopped = true
        pthread_cond_signal(queue.changed)
        pthread_mutex_unlock(queue.mutex)
        return thread
    }
}
