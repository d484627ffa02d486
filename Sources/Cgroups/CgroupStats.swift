/// What a cgroup has used and is using; nil where the host doesn't count it.
public struct CgroupStats: Sendable, Hashable {
    public struct CPU: Sendable, Hashable {
        /// Since the cgroup was made.
        public var usageNanoseconds: UInt64
        public var userNanoseconds: UInt64?
        public var systemNanoseconds: UInt64?
        /// Bandwidth periods that have passed, and those in which the group was held back.
        public var periods: UInt64?
        public var throttledPeriods: UInt64?
        public var throttledNanoseconds: UInt64?
    }

    public struct Memory: Sendable, Hashable {
        /// With page cache.
        public var usageBytes: UInt64
        /// Usage without the page cache that could go at once: what Kubernetes judges by.
        public var workingSetBytes: UInt64
        /// Anonymous memory.
        public var residentBytes: UInt64?
        public var cacheBytes: UInt64?
        public var swapBytes: UInt64?
        /// What may be swapped at most; nil is unlimited.
        public var swapLimitBytes: UInt64?
        /// nil is unlimited.
        public var limitBytes: UInt64?
        public var pageFaults: UInt64?
        public var majorPageFaults: UInt64?
    }

    public struct Pids: Sendable, Hashable {
        public var current: UInt64
        /// nil is unlimited.
        public var limit: UInt64?
    }

    public var cpu: CPU?
    public var memory: Memory?
    public var pids: Pids?
    /// How often the kernel has killed for want of memory in the cgroup.
    public var outOfMemoryKills: UInt64?
}
