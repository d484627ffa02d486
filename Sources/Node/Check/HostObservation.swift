/// What was seen of a host, without judgement.
package struct HostObservation: Sendable {
    /// Newer system calls that the node is built on.
    package enum Call: String, Sendable, CaseIterable {
        case openat2, clone3, pidfd_open, fsopen, open_tree
    }

    /// What came of trying something.
    package enum Outcome: Sendable, Hashable {
        case works
        /// With the reason.
        case failed(String)
    }

    /// What came of asking iptables.
    package enum Iptables: Sendable, Hashable {
        case missing, notTried
        case failed(String)
        /// With its version.
        case works(String)
    }

    /// A program of ours.
    package struct Program: Sendable, Hashable {
        package var name: String
        package var path: String
        /// Why it can't be used.
        package var problem: String?

        package init(name: String, path: String, problem: String? = nil) {
            self.name = name
            self.path = path
            self.problem = problem
        }
    }

    /// The controllers that pods' limits need.
    package static let controllers = ["cpu", "cpuset", "memory", "pids"]

    /// Those that version 2 has without a controller, but version 1 only with one.
    package static let version1Controllers = ["devices", "freezer"]

    package var user: UInt32 = 0
    /// Without the `CAP_`.
    package var missingCapabilities: [String] = []
    package var kernelRelease = ""
    /// Nothing for a call that wasn't tried.
    package var calls: [Call: Outcome] = [:]
    package var hasSeccompFilters = false
    /// As `/proc/self/ns` names them.
    package var missingNamespaces: [String] = []
    package var maxUserNamespaces: Int?

    /// The node's data directory, or what of it is there.
    package var dataRoot = ""
    package var dataFilesystem = ""
    package var overlay: Outcome?
    package var availableBytes: UInt64 = 0
    package var totalBytes: UInt64 = 0
    /// Nil where the filesystem makes them as needed.
    package var freeInodes: UInt64?

    /// `v1`, `v2`, `hybrid`; nil when nothing is mounted.
    package var cgroupMode: String?
    package var cgroupError: String?
    package var cgroupControllers: Set<String> = []

    package var pluginDirectories: [String] = []
    package var plugins: Set<String> = []
    package var neededPlugins: [String] = []
    /// The file that the pods' network comes from; nil when the node makes its own.
    package var networkConfiguration: String?
    package var networkConfigurationError: String?
    package var iptables = Iptables.notTried
    package var forwardPolicyDrops = false
    package var ipForward: Bool?
    /// Nil when br_netfilter isn't loaded.
    package var bridgeCallsIptables: Bool?

    package var inotifyInstances: Int?
    package var inotifyWatches: Int?
    package var openFiles: Int?
    package var programs: [Program] = []

    package init() {}
}
