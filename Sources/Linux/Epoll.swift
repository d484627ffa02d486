import CLinux
import Glibc

/// An epoll(7) instance, level-triggered.
public struct Epoll: ~Copyable, Sendable {
    public struct Events: OptionSet, Sendable, Hashable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let readable = Events(rawValue: 0x001)
        public static let urgent = Events(rawValue: 0x002)
        public static let writable = Events(rawValue: 0x004)
        /// Reported without being asked for.
        public static let error = Events(rawValue: 0x008)
        /// Reported without being asked for.
        public static let hangUp = Events(rawValue: 0x010)
        public static let peerClosed = Events(rawValue: 0x2000)
        public static let edgeTriggered = Events(rawValue: 1 << 31)
        public static let oneShot = Events(rawValue: 1 << 30)
    }

    public struct Event: Sendable, Hashable {
        public let token: UInt64
        public let events: Events
    }

    public let descriptor: Descriptor

    public init() throws(SystemError) {
        descriptor = Descriptor(owning: try check(sys_epoll_create(), "epoll_create"))
    }

    /// - Parameter token: comes back with each event; the caller's own numbering.
    public func add(_ target: Int32, _ events: Events, token: UInt64) throws(SystemError) {
        try check(sys_epoll_control(descriptor.raw, 1, target, events.rawValue, token), "epoll_ctl add")
    }

    public func change(_ target: Int32, _ events: Events, token: UInt64) throws(SystemError) {
        try check(sys_epoll_control(descriptor.raw, 3, target, events.rawValue, token), "epoll_ctl change")
    }

    /// A descriptor that isn't registered is success.
    public func remove(_ target: Int32) throws(SystemError) {
        let result = sys_epoll_control(descriptor.raw, 2, target, 0, 0)
        if result != -ENOENT { try check(result, "epoll_ctl remove") }
    }

    /// At most 64 events; none on time-out or when a signal came. -1 waits for ever.
    public func wait(timeoutMilliseconds: Int32 = -1) throws(SystemError) -> [Event] {
        try withUnsafeTemporaryAllocation(of: sys_event.self, capacity: 64) { room throws(SystemError) in
            let result = sys_epoll_wait(descriptor.raw, room.baseAddress, 64, timeoutMilliseconds)
            let count = Int(try check(result, "epoll_wait"))
            var events: [Event] = []
            events.reserveCapacity(count)
            for raw in room.prefix(count) {
                events.append(Event(token: raw.token, events: Events(rawValue: raw.events)))
            }
            return events
        }
    }
}
