import CLinux
import Glibc

/// inotify(7), non-blocking: register ``descriptor`` with an epoll or poll it.
public struct Inotify: ~Copyable, Sendable {
    public struct Mask: OptionSet, Sendable, Hashable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let modify = Mask(rawValue: 0x2)
        public static let attributes = Mask(rawValue: 0x4)
        public static let closeWrite = Mask(rawValue: 0x8)
        public static let movedFrom = Mask(rawValue: 0x40)
        public static let movedTo = Mask(rawValue: 0x80)
        public static let create = Mask(rawValue: 0x100)
        public static let delete = Mask(rawValue: 0x200)
        public static let deleteSelf = Mask(rawValue: 0x400)
        public static let moveSelf = Mask(rawValue: 0x800)
        public static let unmount = Mask(rawValue: 0x2000)
        /// The kernel's queue was full and events are lost: look at everything again.
        public static let overflow = Mask(rawValue: 0x4000)
        public static let ignored = Mask(rawValue: 0x8000)
        public static let onlyDirectory = Mask(rawValue: 0x0100_0000)
        public static let noFollow = Mask(rawValue: 0x0200_0000)
        public static let isDirectory = Mask(rawValue: 0x4000_0000)
    }

    public struct Event: Sendable, Hashable {
        public let watch: Int32
        public let mask: Mask
        public let cookie: UInt32
        /// The name below the watched folder; empty when it is about the watched file itself.
        public let name: String
    }

    public let descriptor: Descriptor

    public init() throws(SystemError) { descriptor = Descriptor(owning: try check(sys_inotify(), "inotify_init")) }

    /// - Returns: the number that its events carry.
    @discardableResult
    public func watch(_ path: String, _ mask: Mask) throws(SystemError) -> Int32 {
        try check(sys_inotify_add(descriptor.raw, path, mask.rawValue), "inotify_add_watch", path)
    }

    /// A watch that is gone already is success.
    public func unwatch(_ watch: Int32) throws(SystemError) {
        let result = sys_inotify_remove(descriptor.raw, watch)
        if result != -EINVAL { try check(result, "inotify_rm_watch") }
    }

    /// What waits now, possibly nothing.
    public func events() throws(SystemError) -> [Event] {
        try withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 8) { room throws(SystemError) in
            let count: Int
            do throws(SystemError) {
                count = try descriptor.read(into: room)
            } catch {
                if error.errno == .again { return [] }
                throw error
            }
            var events: [Event] = []
            var offset = 0
            while offset + 16 <= count {
                let length = Int(room.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
                guard offset + 16 + length <= count else { break }
                let name = room[(offset + 16)..<(offset + 16 + length)].prefix { $0 != 0 }
                events.append(
                    Event(
                        watch: room.loadUnaligned(fromByteOffset: offset, as: Int32.self),
                        mask: Mask(rawValue: room.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)),
                        cookie: room.loadUnaligned(fromByteOffset: offset + 8, as: UInt32.self),
                        name: String(decoding: name, as: UTF8.self)))
                offset += 16 + length
            }
            return events
        }
    }
}
