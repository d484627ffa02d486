import CLinux
import Glibc
import Linux

/// The socket between the parent and what it cloned: one packet a message, its first byte says what it is.
struct Channel: Sendable {
    enum Message: UInt8 {
        /// To the child: go on.
        case go = 0x67
        /// From the child: everything is mounted, the hooks of the runtime's side may run.
        case mounted = 0x6d
        /// From the child: created; it waits to be started.
        case created = 0x63
        /// From the intermediate: the init's pidfd comes along.
        case process = 0x70
        /// From the child: its filter has a listener; the page to talk through comes with it.
        case filter = 0x66
        /// From the child: the ids of a mount are to be mapped with the host's rights; its tree comes along, its place in the
        /// plan follows as text.
        case mapIDs = 0x69
        /// From the child: the kernel refused to execute the program; the reason follows as text.
        case refused = 0x78
        /// From the child: it gave up; the reason follows as text.
        case failed = 0x65
    }

    let number: Int32

    /// - Throws: when the other end is gone.
    func send(_ message: Message, _ body: [UInt8] = []) throws(SystemError) {
        let bytes = [message.rawValue] + body
        try check(
            bytes.withUnsafeBytes { sys_send(number, $0.baseAddress, $0.count, nil, 0, 0) }, "send to the other stage")
    }

    /// A message with a descriptor as passenger.
    func send(_ message: Message, _ body: [UInt8] = [], descriptor: Int32) throws(SystemError) {
        let bytes = [message.rawValue] + body
        try check(sys_send(number, bytes, bytes.count, [descriptor], 1, 0), "send to the other stage")
    }

    /// Nil when the other end is closed. A descriptor that comes along is put into `passenger`.
    func receive(passenger: UnsafeMutablePointer<Int32>? = nil) throws(SystemError) -> (
        message: Message, body: [UInt8]
    )? {
        var result = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
            var descriptors = passenger == nil ? 0 : 1
            result = sys_receive(number, buffer.baseAddress, 4096, passenger, &descriptors, 0)
            count = max(result, 0)
        }
        try check(result, "receive from the other stage")
        guard let first = bytes.first else { return nil }
        guard let message = Message(rawValue: first) else {
            throw SystemError("receive from the other stage", errno: .invalid)
        }
        return (message, Array(bytes.dropFirst()))
    }
}
