import CLinux
import Glibc

/// Signals read from a descriptor (signalfd(2)) instead of handlers. Making one blocks them for the whole process, so make
/// it before any thread.
public struct SignalDescriptor: ~Copyable, Sendable {
    public struct Signal: Sendable, Hashable {
        public let number: Int32
        public let senderPID: pid_t
        public let senderStatus: Int32
        public let code: Int32
    }

    public let descriptor: Descriptor

    public init(_ signals: [Int32]) throws(SystemError) {
        descriptor = Descriptor(owning: try check(sys_signalfd(signals, signals.count), "signalfd"))
    }

    /// The next one, or nil when none waits.
    public func next() throws(SystemError) -> Signal? {
        var raw = sys_signal()
        if try check(sys_signalfd_read(descriptor.raw, &raw), "read signalfd") == 0 { return nil }
        return Signal(number: raw.signal, senderPID: raw.pid, senderStatus: raw.status, code: raw.code)
    }
}
