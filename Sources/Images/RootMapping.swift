/// The ids of a user namespace, for a root filesystem that belongs to it.
public struct RootMapping: Sendable, Hashable {
    /// `count` ids from `container` on are `host` and following outside.
    public struct Range: Sendable, Hashable {
        public var container: UInt32
        public var host: UInt32
        public var count: UInt32

        public init(container: UInt32, host: UInt32, count: UInt32) {
            self.container = container
            self.host = host
            self.count = count
        }
    }

    /// A path of the namespace itself, as `/proc/PID/ns/user` or a mount of it.
    public var namespace: String
    public var uids: [Range]
    public var gids: [Range]

    public init(namespace: String, uids: [Range], gids: [Range]) {
        self.namespace = namespace
        self.uids = uids
        self.gids = gids
    }

    /// What an id of an image is on disk for the container; nil for one that the namespace doesn't know.
    static func host(_ id: UInt32, _ ranges: [Range]) -> UInt32? {
        for range in ranges where id >= range.container && id - range.container < range.count {
            let (sum, overflow) = range.host.addingReportingOverflow(id - range.container)
            return overflow ? nil : sum
        }
        return nil
    }
}
