import Glibc
import Linux

/// What is typed or piped in, in pieces, as fast as somebody takes it; ends when its task is cancelled.
///
/// Files, pipes and terminals are all read by a thread of their own: epoll can't wait for files.
struct StandardInput: AsyncSequence, Sendable {
    typealias Element = [UInt8]

    let descriptor: Int32
    /// Ctrl-P Ctrl-Q ends the input, as it detaches from containers elsewhere.
    var detaches = false
    /// Called when the person has detached.
    var detached: @Sendable () -> Void = {}

    struct Iterator: AsyncIteratorProtocol {
        fileprivate let reader: InputReader
        fileprivate var keys: DetachKeys?
        fileprivate let detached: @Sendable () -> Void

        mutating func next() async -> [UInt8]? {
            guard let bytes = await reader.read() else { return nil }
            guard keys != nil else { return bytes }
            if let typed = keys?.filter(bytes) { return typed }
            detached()
            return nil
        }
    }

    func makeAsyncIterator() -> Iterator {
        Iterator(reader: InputReader(descriptor), keys: detaches ? DetachKeys() : nil, detached: detached)
    }
}

/// Finds Ctrl-P Ctrl-Q in what is typed.
struct DetachKeys {
    private var held = false

    /// What to pass on; nil once the keys were pressed.
    mutating func filter(_ bytes: [UInt8]) -> [UInt8]? {
        var passed: [UInt8] = []
        for byte in bytes {
            if held, byte == 17 { return nil }
            if held { passed.append(16) }
            held = byte == 16
            if !held { passed.append(byte) }
        }
        return passed
    }
}

/// Reads a descriptor on a thread of its own, one piece a request.
struct InputReader: Sendable {
    let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// The next bytes; nil at the end, on an error and once the task is cancelled.
    func read() async -> [UInt8]? {
        await BlockingCall.whenReadable(descriptor) { descriptor -> [UInt8]? in
            var buffer = [UInt8](repeating: 0, count: 32 << 10)
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            return count > 0 ? Array(buffer[..<count]) : nil
        } ?? nil
    }
}

/// A call that would block a thread which others need.
enum BlockingCall {
    /// Waits on a thread of its own until the descriptor is readable, and calls `body` there.
    ///
    /// - Returns: nil once the task is cancelled.
    static func whenReadable<Result: Sendable>(
        _ descriptor: Int32, _ body: @escaping @Sendable (Int32) -> Result
    ) async -> Result? {
        guard let wake = try? EventBox() else { return nil }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let thread = OneShotThread {
                    continuation.resume(returning: waitReadable(descriptor, wake) ? body(descriptor) : nil)
                }
                if !thread.start() { continuation.resume(returning: nil) }
            }
        } onCancel: {
            wake.event.wake()
        }
    }

    private static func waitReadable(_ descriptor: Int32, _ wake: EventBox) -> Bool {
        var polled = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wake.event.descriptor.raw, events: Int16(POLLIN), revents: 0),
        ]
        while poll(&polled, nfds_t(polled.count), -1) < 0 {
            if errno != EINTR { return false }
        }
        return polled[1].revents == 0
    }
}

private final class EventBox: Sendable {
    let event: EventDescriptor

    init() throws { event = try EventDescriptor() }
}

/// A detached thread for one blocking call.
private final class OneShotThread: @unchecked Sendable {
    // Set once before the thread exists and read by it alone.
    private let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    func start() -> Bool {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let box = Unmanaged.passRetained(self)
        let result = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                Unmanaged<OneShotThread>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, box.toOpaque())
        if result != 0 { box.release() }
        return result == 0
    }
}
