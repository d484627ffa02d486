import CLinux
import Glibc

/// A counter that wakes (eventfd(2)); non-blocking.
public struct EventDescriptor: ~Copyable, Sendable {
    public let descriptor: Descriptor

    public init() throws(SystemError) { descriptor = Descriptor(owning: try check(sys_eventfd(0), "eventfd")) }

    public func wake() {
        var one: UInt64 = 1
        // EAGAIN means that the counter is full, so the reader is awake already.
        _ = withUnsafeBytes(of: &one) { Glibc.write(descriptor.raw, $0.baseAddress, 8) }
    }

    /// Takes what was counted since the last time; 0 when nothing was.
    public func take() -> UInt64 {
        var count: UInt64 = 0
        let got = withUnsafeMutableBytes(of: &count) { Glibc.read(descriptor.raw, $0.baseAddress, 8) }
        return got == 8 ? count : 0
    }
}

/// A monotonic timer that becomes readable (timerfd_create(2)); non-blocking.
public struct TimerDescriptor: ~Copyable, Sendable {
    public let descriptor: Descriptor

    public init() throws(SystemError) { descriptor = Descriptor(owning: try check(sys_timerfd(), "timerfd_create")) }

    /// Fires after `first` nanoseconds, then every `interval` (0: once). A `first` of 0 stops it.
    public func set(firstNanoseconds first: UInt64, intervalNanoseconds interval: UInt64 = 0) throws(SystemError) {
        try check(sys_timerfd_set(descriptor.raw, first, interval), "timerfd_settime")
    }

    /// How often it fired since the last time.
    public func take() -> UInt64 {
        var count: UInt64 = 0
        let got = withUnsafeMutableBytes(of: &count) { Glibc.read(descriptor.raw, $0.baseAddress, 8) }
        return got == 8 ? count : 0
    }
}
