import Cgroups

/// How the host's cgroups are mounted; looked at once.
enum HostCgroups {
    private static let found = Result { () throws(CgroupError) in try CgroupHost.detect() }

    static func host() throws(RuntimeError) -> CgroupHost {
        try cgroups { () throws(CgroupError) in try found.get() }
    }
}
