import Dispatch
import Glibc
import Linux
import Synchronization

/// Reads a pipe into memory, up to a limit; what comes beyond it is read and dropped, so that the writer isn't stopped.
final class PipeCollector: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var droppedBytes = 0
    }

    private let state = Mutex(State())
    private let ended = Latch()
    private let queue = DispatchQueue(label: "kubesim.pipe")
    /// Made in `init`, then only cancelled, which is safe from any thread.
    private nonisolated(unsafe) let source: any DispatchSourceRead
    private let descriptor: Int32
    private let limitBytes: Int

    /// Reads until the other end is closed; the descriptor becomes this collector's.
    init(reading reader: consuming Descriptor, limitBytes: Int) throws(SystemError) {
        try reader.setNonBlocking(true)
        let descriptor = reader.release()
        self.descriptor = descriptor
        self.limitBytes = limitBytes
        source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        source.setEventHandler { [weak self] in self?.readAvailable() }
        source.setCancelHandler { [ended] in
            close(descriptor)
            ended.open()
        }
        source.activate()
    }

    deinit { source.cancel() }

    private func readAvailable() {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        // Bounded, so that an endless writer can't keep `finish` from its turn.
        for _ in 0..<64 {
            let count = read(descriptor, &buffer, buffer.count)
            if count > 0 {
                state.withLock { state in
                    let kept = min(count, max(0, limitBytes - state.bytes.count))
                    state.bytes.append(contentsOf: buffer[..<kept])
                    state.droppedBytes += count - kept
                }
            } else if count == 0 {
                source.cancel()
                return
            } else {
                if errno != EAGAIN && errno != EINTR { source.cancel() }
                return
            }
        }
    }

    /// Takes what is in the pipe now, stops reading, and gives everything; for when the writer has ended, though a
    /// grandchild may still hold the pipe.
    func finish() async -> (bytes: [UInt8], droppedBytes: Int) {
        queue.async {
            if !self.ended.isOpen { self.readAvailable() }
            self.source.cancel()
        }
        try? await ended.wait()  // Cancelled: what has come so far is what there is.
        return state.withLock { ($0.bytes, $0.droppedBytes) }
    }
}
