import CRI
import KubeTypes

/// Requests and limits as the kernel wants them.
struct ContainerResources: Sendable, Hashable {
    var cpuShares: Int64
    /// Microseconds of a period; 0: no limit.
    var cpuQuota: Int64
    var cpuPeriod: Int64
    /// Bytes; 0: no limit.
    var memoryLimitBytes: Int64

    static let periodMicroseconds: Int64 = 100_000

    /// - Parameters:
    ///   - requestMillis: thousandths of a core asked for; nil: not said
    ///   - limitMillis: thousandths of a core at most; nil or 0: no limit
    init(requestMillis: Int64?, limitMillis: Int64?, memoryLimitBytes: Int64?) {
        // A limit without a request asks for as much (upstream's calculateLinuxResources).
        cpuShares = Self.shares(millis: requestMillis ?? limitMillis ?? 0)
        cpuPeriod = Self.periodMicroseconds
        cpuQuota = Self.quota(millis: limitMillis ?? 0)
        self.memoryLimitBytes = memoryLimitBytes ?? 0
    }

    init(_ resources: ResourceRequirements) {
        self.init(
            requestMillis: resources.requests["cpu"]?.milliValue, limitMillis: resources.limits["cpu"]?.milliValue,
            memoryLimitBytes: resources.limits["memory"]?.value)
    }

    /// 1024 shares a core, between the kernel's 2 and 262144.
    static func shares(millis: Int64) -> Int64 {
        guard millis > 0 else { return 2 }
        return min(max(millis.multipliedReportingOverflow(by: 1024).partialValue / 1000, 2), 262_144)
    }

    /// Microseconds of each period, at least the kernel's 1 ms.
    static func quota(millis: Int64) -> Int64 {
        guard millis > 0 else { return 0 }
        let (product, overflow) = millis.multipliedReportingOverflow(by: periodMicroseconds)
        return overflow ? .max : max(product / 1000, 1000)
    }

    /// How readily the kernel kills a container when memory is short (upstream's `GetContainerOOMScoreAdjust`).
    static func outOfMemoryScore(_ container: Container, of pod: Pod, nodeMemoryBytes: Int64) -> Int64 {
        if (pod.spec.priority ?? 0) >= 2_000_000_000 { return -997 }
        switch pod.qosClass {
        case .guaranteed: return -997
        case .bestEffort: return 1000
        default: break
        }
        guard nodeMemoryBytes > 0 else { return 999 }
        let request = container.resources.requests["memory"]?.value ?? container.resources.limits["memory"]?.value ?? 0
        let share = Int64(clamping: 1000 - Int128(1000) * Int128(request) / Int128(nodeMemoryBytes))
        return min(max(share, 3), 999)
    }

    var cri: CRILinuxContainerResources {
        var resources = CRILinuxContainerResources()
        resources.cpuShares = cpuShares
        resources.cpuPeriod = cpuPeriod
        resources.cpuQuota = cpuQuota
        resources.memoryLimitInBytes = memoryLimitBytes
        return resources
    }
}

extension Pod {
    /// What the pod's cgroup gets: the sum of its containers (upstream's `ResourceConfigForPod`); a limit holds for the
    /// pod only when each container has one.
    var cgroupResources: ContainerResources {
        let shared = spec.containers + spec.initContainers.filter(\.isSidecar)
        func sum(_ amount: (Container) -> Int64?) -> Int64? {
            var total: Int64 = 0
            for container in shared {
                guard let one = amount(container), one > 0 else { return nil }
                total = total.addingReportingOverflow(one).partialValue
            }
            let largest = spec.initContainers.filter { !$0.isSidecar }.compactMap(amount).max() ?? 0
            return max(total, largest)
        }
        func plainSum(_ amount: (Container) -> Int64?) -> Int64 {
            let total = shared.reduce(Int64(0)) { $0.addingReportingOverflow(amount($1) ?? 0).partialValue }
            return max(total, spec.initContainers.filter { !$0.isSidecar }.compactMap(amount).max() ?? 0)
        }
        return ContainerResources(
            requestMillis: plainSum {
                $0.resources.requests["cpu"]?.milliValue ?? $0.resources.limits["cpu"]?.milliValue
            },
            limitMillis: sum { $0.resources.limits["cpu"]?.milliValue },
            memoryLimitBytes: sum { $0.resources.limits["memory"]?.value })
    }

    /// The cgroup of the pod below the kubelet's root: `kubepods/pod<uid>`, `kubepods/burstable/pod<uid>`, ….
    var cgroupPath: String {
        switch qosClass {
        case .guaranteed: "kubepods/pod\(metadata.uid)"
        case .burstable: "kubepods/burstable/pod\(metadata.uid)"
        default: "kubepods/besteffort/pod\(metadata.uid)"
        }
    }

    /// The same for a runtime that drives systemd.
    var cgroupSlice: String {
        let uid = String(metadata.uid.map { $0 == "-" ? "_" : $0 })
        switch qosClass {
        case .guaranteed: return "kubepods-pod\(uid).slice"
        case .burstable: return "kubepods-burstable-pod\(uid).slice"
        default: return "kubepods-besteffort-pod\(uid).slice"
        }
    }
}
