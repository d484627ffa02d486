import Glibc

/// The node's size.
struct NodeFacts: Sendable, Hashable {
    var memoryBytes: Int64
    var processorMillis: Int64

    init(memoryBytes: Int64, processorMillis: Int64) {
        self.memoryBytes = memoryBytes
        self.processorMillis = processorMillis
    }

    /// This machine's.
    static func ofThisMachine() -> NodeFacts {
        NodeFacts(
            memoryBytes: Int64(sysconf(Int32(_SC_PHYS_PAGES))) * Int64(sysconf(Int32(_SC_PAGESIZE))),
            processorMillis: Int64(sysconf(Int32(_SC_NPROCESSORS_ONLN))) * 1000)
    }
}
