import Glibc
import NIOCore

/// Bytes on their way from the network to the thread that unpacks them. What waits in between is bounded: the network is
/// read as fast as the layer is written.
final class BlobPipe: ByteSource, @unchecked Sendable {
    private static let capacity = 4 << 20

    // Guarded by `mutex`.
    private var pieces: [ByteBuffer] = []
    private var first = 0
    private var held = 0
    private var end: Result<Void, ImportFailure>?
    private var isAbandoned = false
    private var writer: CheckedContinuation<Void, Never>?

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    /// Hands a piece over, and waits while too much is waiting already.
    ///
    /// - Returns: false when nobody wants any more
    func write(_ piece: ByteBuffer) async -> Bool {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            pthread_mutex_lock(mutex)
            if !isAbandoned && piece.readableBytes > 0 {
                pieces.append(piece)
                held += piece.readableBytes
                pthread_cond_signal(changed)
            }
            let waits = !isAbandoned && held >= Self.capacity
            if waits { writer = continuation }
            pthread_mutex_unlock(mutex)
            if !waits { continuation.resume() }
        }
        return isWanted
    }

    var isWanted: Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return !isAbandoned
    }

    /// Nothing more comes.
    func finish(_ result: Result<Void, ImportFailure>) {
        pthread_mutex_lock(mutex)
        if end == nil { end = result }
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
    }

    /// Nothing more is wanted; whoever reads or writes is told at once.
    func abandon(_ reason: ImportFailure) {
        pthread_mutex_lock(mutex)
        isAbandoned = true
        end = .failure(reason)
        pieces = []
        (first, held) = (0, 0)
        let waiting = writer
        writer = nil
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
        waiting?.resume()
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ImportFailure) -> Int {
        pthread_mutex_lock(mutex)
        while first == pieces.count {
            if let end {
                pthread_mutex_unlock(mutex)
                try end.get()
                return 0
            }
            pthread_cond_wait(changed, mutex)
        }
        // The piece is this thread's as long as it's read: only what is behind it is added to.
        let count = min(buffer.count, pieces[first].readableBytes)
        pieces[first].readWithUnsafeReadableBytes { bytes in
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            return count
        }
        held -= count
        if pieces[first].readableBytes == 0 { next() }
        let waiting = held < Self.capacity / 2 ? writer : nil
        if waiting != nil { writer = nil }
        pthread_mutex_unlock(mutex)
        waiting?.resume()
        return count
    }

    private func next() {
        pieces[first] = ByteBuffer()
        first += 1
        guard first == pieces.count || first == 256 else { return }
        pieces.removeFirst(first)
        first = 0
    }
}
