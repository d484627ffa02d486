import Cgroups
import KubeTypes
import OCISpec

/// Pod-level cgroups on this machine: `<root>/kubepods[/burstable|/besteffort]/pod<uid>`.
struct NodeCgroups: PodCgroups {
    /// Nil: the runtime makes them.
    private let host: CgroupHost?
    private let root: String
    /// The runtime hands cgroups to systemd: then it makes the pod's slice as well.
    private let isSystemd: Bool

    /// - Parameter root: the cgroup below which `kubepods` stands
    init(root: String, makes: Bool, isSystemd: Bool) throws {
        self.root = root.hasSuffix("/") ? String(root.dropLast()) : root
        self.isSystemd = isSystemd
        host = makes && !isSystemd ? try CgroupHost.detect() : nil
    }

    func parent(of pod: Pod) -> String {
        isSystemd ? pod.cgroupSlice : "\(root)/\(pod.cgroupPath)"
    }

    func make(_ pod: Pod) throws {
        guard let host else { return }
        let cgroup = try Cgroup(path: parent(of: pod), host: host)
        let isNew = !cgroup.exists
        try cgroup.create()
        let resources = pod.cgroupResources
        var limits = LinuxResources()
        limits.cpu = LinuxCPU(
            shares: UInt64(clamping: resources.cpuShares), quota: resources.cpuQuota > 0 ? resources.cpuQuota : nil,
            period: resources.cpuQuota > 0 ? UInt64(clamping: resources.cpuPeriod) : nil)
        if resources.memoryLimitBytes > 0 { limits.memory = LinuxMemory(limit: resources.memoryLimitBytes) }
        try cgroup.apply(limits, updating: !isNew)
    }

    func remove(uid: String) async throws {
        guard let host else { return }
        let root = root
        try await offPool {
            for path in ["kubepods/pod\(uid)", "kubepods/burstable/pod\(uid)", "kubepods/besteffort/pod\(uid)"] {
                let cgroup = try Cgroup(path: "\(root)/\(path)", host: host)
                guard cgroup.exists else { continue }
                try cgroup.killAll()
                try cgroup.remove()
            }
        }
    }
}
