import CRI
import OCISpec
import Sandboxes
import SwiftProtobuf

extension NRIPodSandbox {
    /// A pod as plugins see it.
    init(_ pod: HookedPod) {
        self.init()
        id = pod.id
        name = pod.config.metadata.name
        uid = pod.config.metadata.uid
        namespace = pod.config.metadata.namespace
        labels = pod.config.labels
        annotations = pod.config.annotations
        runtimeHandler = pod.runtimeHandler
        pid = UInt32(clamping: pod.pid)
        ips = pod.addresses
        linux = NRILinuxPodSandbox()
        linux.cgroupParent = pod.config.linux.cgroupParent
        linux.cgroupsPath = pod.cgroupsPath
        if pod.config.linux.hasOverhead { linux.podOverhead = NRILinuxResources(pod.config.linux.overhead) }
        if pod.config.linux.hasResources { linux.podResources = NRILinuxResources(pod.config.linux.resources) }
        if let netns = pod.netns {
            linux.namespaces = [
                .with {
                    $0.type = "network"
                    $0.path = netns
                }
            ]
        }
    }
}

extension NRILinuxResources {
    /// What the kubelet has asked for; zero is "not asked".
    fileprivate init(_ asked: CRILinuxContainerResources) {
        self.init()
        cpu = NRILinuxCPU()
        if asked.cpuShares != 0 { cpu.shares = NRIOptionalUInt64(UInt64(clamping: asked.cpuShares)) }
        if asked.cpuQuota != 0 { cpu.quota = NRIOptionalInt64(asked.cpuQuota) }
        if asked.cpuPeriod != 0 { cpu.period = NRIOptionalUInt64(UInt64(clamping: asked.cpuPeriod)) }
        cpu.cpus = asked.cpusetCpus
        cpu.mems = asked.cpusetMems
        memory = NRILinuxMemory()
        if asked.memoryLimitInBytes != 0 { memory.limit = NRIOptionalInt64(asked.memoryLimitInBytes) }
        if asked.memorySwapLimitInBytes != 0 { memory.swap = NRIOptionalInt64(asked.memorySwapLimitInBytes) }
        hugepageLimits = asked.hugepageLimits.map { limit in
            .with {
                $0.pageSize = limit.pageSize
                $0.limit = limit.limit
            }
        }
        unified = asked.unified
    }
}

extension NRIContainer {
    /// A container as plugins see it.
    init(_ container: HookedContainer) {
        self.init()
        id = container.id
        podSandboxID = container.pod
        name = container.config.metadata.name
        labels = container.config.labels
        annotations = container.spec?.annotations ?? container.config.annotations
        switch container.state {
        case .containerCreated: state = .containerCreated
        case .containerRunning: state = .containerRunning
        case .containerExited: state = .containerStopped
        default: state = .containerUnknown
        }
        pid = UInt32(clamping: container.pid)
        createdAt = container.createdAtNanoseconds
        startedAt = container.startedAtNanoseconds
        finishedAt = container.finishedAtNanoseconds
        exitCode = container.exitCode
        statusReason = container.reason
        statusMessage = container.message
        cdiDevices = container.config.cdiDevices.map { device in .with { $0.name = device.name } }
        if let spec = container.spec { describe(spec) }
    }

    private mutating func describe(_ spec: Spec) {
        mounts = spec.mounts.map { mount in
            .with {
                $0.destination = mount.destination
                $0.type = mount.type ?? ""
                $0.source = mount.source ?? ""
                $0.options = mount.options
            }
        }
        if let hooks = spec.hooks { self.hooks = NRIHooks(hooks) }
        if let process = spec.process {
            args = process.args
            env = process.env
            user = .with {
                $0.uid = process.user.uid
                $0.gid = process.user.gid
                $0.additionalGids = process.user.additionalGids
            }
            rlimits = process.rlimits.map { limit in
                .with {
                    $0.type = limit.type
                    $0.hard = limit.hard
                    $0.soft = limit.soft
                }
            }
        }
        linux = NRILinuxContainer(spec)
    }
}

extension NRIHooks {
    init(_ hooks: Hooks) {
        func list(_ hooks: [Hook]) -> [NRIHook] {
            hooks.map { hook in
                .with {
                    $0.path = hook.path
                    $0.args = hook.args
                    $0.env = hook.env
                    if let timeout = hook.timeout { $0.timeout = NRIOptionalInt(Int64(timeout)) }
                }
            }
        }
        self.init()
        prestart = list(hooks.prestart)
        createRuntime = list(hooks.createRuntime)
        createContainer = list(hooks.createContainer)
        startContainer = list(hooks.startContainer)
        poststart = list(hooks.poststart)
        poststop = list(hooks.poststop)
    }
}

extension NRILinuxContainer {
    fileprivate init(_ spec: Spec) {
        self.init()
        if let adjustment = spec.process?.oomScoreAdj { oomScoreAdj = NRIOptionalInt(Int64(adjustment)) }
        guard let linux = spec.linux else { return }
        namespaces = linux.namespaces.map { namespace in
            .with {
                $0.type = namespace.type.rawValue
                $0.path = namespace.path ?? ""
            }
        }
        devices = linux.devices.map { device in
            .with {
                $0.path = device.path
                $0.type = device.type
                $0.major = device.major ?? 0
                $0.minor = device.minor ?? 0
                if let mode = device.fileMode { $0.fileMode = NRIOptionalFileMode(mode) }
                if let uid = device.uid { $0.uid = NRIOptionalUInt32(uid) }
                if let gid = device.gid { $0.gid = NRIOptionalUInt32(gid) }
            }
        }
        resources = NRILinuxResources(linux.resources ?? LinuxResources())
        cgroupsPath = linux.cgroupsPath ?? ""
        sysctl = linux.sysctl
        netDevices = linux.netDevices.mapValues { device in .with { $0.name = device.name ?? "" } }
    }
}
