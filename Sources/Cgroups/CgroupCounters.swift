/// Every counter that engines show of a cgroup, in the terms of both versions; 0 and empty where the host doesn't count it.
public struct CgroupCounters: Sendable, Hashable {
    /// A resource in use.
    public struct Use: Sendable, Hashable {
        /// The greatest number if there is none.
        public var limit: UInt64 = 0
        public var usage: UInt64 = 0
        public var maximum: UInt64 = 0
        /// How often the limit was reached.
        public var failures: UInt64 = 0

        public init() {}
    }

    public struct CPU: Sendable, Hashable {
        /// Nanoseconds, like all times here.
        public var usage: UInt64 = 0
        public var user: UInt64 = 0
        public var system: UInt64 = 0
        public var perCPU: [UInt64] = []
        public var perCPUUser: [UInt64] = []
        public var perCPUSystem: [UInt64] = []
        public var periods: UInt64 = 0
        public var throttledPeriods: UInt64 = 0
        public var throttledTime: UInt64 = 0
        public var pressure: Pressure?
    }

    public struct Memory: Sendable, Hashable {
        public var cache: UInt64 = 0
        public var usage = Use()
        public var swap = Use()
        public var kernel = Use()
        public var kernelTCP = Use()
        /// `memory.stat` as it is.
        public var raw: [String: UInt64] = [:]
        public var pressure: Pressure?
    }

    public struct Pids: Sendable, Hashable {
        public var current: UInt64 = 0
        /// 0 is unlimited.
        public var limit: UInt64 = 0
    }

    public struct Cpuset: Sendable, Hashable {
        public var cpus: [UInt16] = []
        public var mems: [UInt16] = []
        /// v1's switches by the file's name without `cpuset.`.
        public var flags: [String: UInt64] = [:]
        public var relaxDomainLevel: Int64 = 0
    }

    public struct IOEntry: Sendable, Hashable {
        public var major: UInt64 = 0
        public var minor: UInt64 = 0
        public var operation = ""
        public var value: UInt64 = 0
    }

    /// Pressure stall information of one resource.
    public struct Pressure: Sendable, Hashable {
        public struct Line: Sendable, Hashable {
            /// Percent of the last 10, 60 and 300 seconds.
            public var avg10 = 0.0
            public var avg60 = 0.0
            public var avg300 = 0.0
            /// Microseconds.
            public var total: UInt64 = 0
        }

        public var some: Line?
        public var full: Line?
    }

    public var cpu = CPU()
    public var cpuset = Cpuset()
    public var memory = Memory()
    public var pids = Pids()
    /// Block devices by runc's names (`ioServiceBytesRecursive`…), in its order.
    public var io: [(name: String, entries: [IOEntry])] = []
    public var ioPressure: Pressure?
    public var hugetlb: [String: Use] = [:]

    public init() {}

    public static func == (left: CgroupCounters, right: CgroupCounters) -> Bool {
        left.cpu == right.cpu && left.cpuset == right.cpuset && left.memory == right.memory && left.pids == right.pids
            && left.ioPressure == right.ioPressure && left.hugetlb == right.hugetlb
            && left.io.map(\.name) == right.io.map(\.name) && left.io.map(\.entries) == right.io.map(\.entries)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(cpu)
        hasher.combine(memory)
        hasher.combine(pids)
    }
}
