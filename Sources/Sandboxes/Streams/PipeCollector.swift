import Glibc
import Linux
import ShimClient
import Synchronization

/// Reads a pipe into memory, up to a limit; what comes beyond it is read and dropped, so that the writer isn't stopped.
final class PipeCollector: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var droppedBytes = 0
    }

    private let state = Mutex(State())
    private let ended = Latch()
    private let descriptor: Int32
    private let limitBytes: Int
    private let watch = Mutex<ReadWatch?>(nil)

    /// Reads until the other end is closed; the descriptor becomes this collector's.
    init(reading reader: consuming Descriptor, limitBytes: Int) throws(SystemError) {
        try reader.setNonBlocking(true)
        let descriptor = reader.raw
        self.descriptor = descriptor
        self.limitBytes = limitBytes
        // The collector lives until the watch has ended, which closes the descriptor.
        let made = try ReadWatch(
            descriptor, ready: { self.readAvailable() },
            ended: {
                self.readAvailable()
                close(descriptor)
                self.ended.open()
            })
        _ = reader.release()
        watch.withLock { $0 = made }
    }

    private func cancel() { watch.withLock { $0 }?.cancel() }

    private func readAvailable() {
        withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 1) { buffer in
            // Bounded, so that an endless writer doesn't keep the thread from the others.
            for _ in 0..<16 {
                let count = read(descriptor, buffer.baseAddress, buffer.count)
                if count > 0 {
                    state.withLock { state in
                        let kept = min(count, max(0, limitBytes - state.bytes.count))
                        state.bytes.append(contentsOf: buffer[..<kept])
                        state.droppedBytes += count - kept
                    }
                } else {
                    if count == 0 || errno != EAGAIN && errno != EINTR { cancel() }
                    return
                }
            }
        }
    }

    /// Takes what is in the pipe now, stops reading, and gives everything; for when the writer has ended, though a
    /// grandchild may still hold the pipe.
    func finish() async -> (bytes: [UInt8], droppedBytes: Int) {
        cancel()
        try? await ended.wait()  // Cancelled: what has come so far is what there is.
        return state.withLock { ($0.bytes, $0.droppedBytes) }
    }

    /// Stops reading and forgets; for when the command could not be started.
    func abandon() { cancel() }
}
