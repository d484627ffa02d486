import OCISpec
import Sandboxes

extension Spec {
    /// Puts what plugins asked for into a container's spec. Entries with '-' in front take away.
    ///
    /// - Throws: `Conflict` for what can't be done here: a class of block I/O or of RDT, of which this node has no table.
    mutating func apply(_ adjustment: NRIContainerAdjustment) throws(Conflict) {
        annotations.apply(adjustment.annotations)
        for mount in adjustment.mounts {
            let name = mount.destination
            if name.hasPrefix("-") {
                mounts.removeAll { $0.destination == name.dropFirst() }
                continue
            }
            mounts.removeAll { $0.destination == name }
            mounts.append(
                Mount(
                    destination: name, type: mount.type.isEmpty ? nil : mount.type,
                    source: mount.source.isEmpty ? nil : mount.source, options: mount.options))
        }
        if adjustment.hasHooks { add(adjustment.hooks) }
        applyProcess(adjustment)
        if adjustment.hasLinux { try apply(adjustment.linux) }
    }

    private mutating func add(_ wish: NRIHooks) {
        func list(_ hooks: [NRIHook]) -> [Hook] {
            hooks.map {
                Hook(path: $0.path, args: $0.args, env: $0.env, timeout: $0.hasTimeout ? Int($0.timeout.value) : nil)
            }
        }
        var all = hooks ?? Hooks()
        all.prestart += list(wish.prestart)
        all.createRuntime += list(wish.createRuntime)
        all.createContainer += list(wish.createContainer)
        all.startContainer += list(wish.startContainer)
        all.poststart += list(wish.poststart)
        all.poststop += list(wish.poststop)
        if all != Hooks() { hooks = all }
    }

    private mutating func applyProcess(_ adjustment: NRIContainerAdjustment) {
        guard var process else { return }
        for pair in adjustment.env {
            let removes = pair.key.hasPrefix("-")
            let name = removes ? String(pair.key.dropFirst()) : pair.key
            process.env.removeAll { $0.hasPrefix(name + "=") || $0 == name }
            if !removes { process.env.append(name + "=" + pair.value) }
        }
        if !adjustment.args.isEmpty { process.args = adjustment.args }
        for limit in adjustment.rlimits {
            process.rlimits.removeAll { $0.type == limit.type }
            process.rlimits.append(POSIXRlimit(type: limit.type, hard: limit.hard, soft: limit.soft))
        }
        let linux = adjustment.linux
        if linux.hasOomScoreAdj { process.oomScoreAdj = Int(clamping: linux.oomScoreAdj.value) }
        if linux.hasIoPriority {
            let names = ["IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"]
            let index = linux.ioPriority.class.rawValue - 1
            process.ioPriority =
                names.indices.contains(index)
                ? LinuxIOPriority(class: names[index], priority: linux.ioPriority.priority) : nil
        }
        if linux.hasScheduler { process.scheduler = Scheduler(linux.scheduler) }
        self.process = process
    }

    private mutating func apply(_ wish: NRILinuxContainerAdjustment) throws(Conflict) {
        if wish.resources.hasBlockioClass || wish.resources.hasRdtClass {
            throw Conflict("classes of block I/O and of RDT are not known on this node")
        }
        var linux = linux ?? LinuxSection()
        var resources = linux.resources ?? LinuxResources()
        if wish.hasResources { resources = resources.merged(with: wish.resources.spec) }
        for device in wish.devices { linux.apply(device, &resources) }
        linux.resources = resources
        for namespace in wish.namespaces {
            let removes = namespace.type.hasPrefix("-")
            let type = LinuxNamespaceType(rawValue: removes ? String(namespace.type.dropFirst()) : namespace.type)
            linux.namespaces.removeAll { $0.type == type }
            if !removes {
                linux.namespaces.append(
                    LinuxNamespace(type: type, path: namespace.path.isEmpty ? nil : namespace.path))
            }
        }
        linux.sysctl.apply(wish.sysctl)
        linux.netDevices.apply(wish.netDevices.mapValues { LinuxNetDevice(name: $0.name.isEmpty ? nil : $0.name) })
        if !wish.cgroupsPath.isEmpty { linux.cgroupsPath = wish.cgroupsPath }
        if wish.hasSeccompPolicy { linux.seccomp = LinuxSeccomp(wish.seccompPolicy) }
        if wish.hasMemoryPolicy { linux.memoryPolicy = LinuxMemoryPolicy(wish.memoryPolicy) }
        if wish.hasRdt {
            linux.intelRdt =
                wish.rdt.remove
                ? nil
                : LinuxIntelRdt(
                    closID: wish.rdt.hasClosID ? wish.rdt.closID.value : nil, schemata: wish.rdt.schemata.value,
                    enableMonitoring: wish.rdt.enableMonitoring.value)
        }
        self.linux = linux
    }
}

extension LinuxSection {
    /// A device node, which the container may then use.
    fileprivate mutating func apply(_ wish: NRILinuxDevice, _ resources: inout LinuxResources) {
        if wish.path.hasPrefix("-") {
            devices.removeAll { $0.path == wish.path.dropFirst() }
            return
        }
        devices.removeAll { $0.path == wish.path }
        devices.append(
            LinuxDevice(
                path: wish.path, type: wish.type, major: wish.major, minor: wish.minor,
                fileMode: wish.hasFileMode ? wish.fileMode.value : nil, uid: wish.hasUid ? wish.uid.value : nil,
                gid: wish.hasGid ? wish.gid.value : nil))
        resources.devices.append(
            LinuxDeviceCgroup(allow: true, type: wish.type, major: wish.major, minor: wish.minor, access: "rwm"))
    }
}

extension Dictionary where Key == String {
    fileprivate mutating func apply(_ wish: [String: Value]) {
        for name in wish.keys where name.hasPrefix("-") { self[String(name.dropFirst())] = nil }
        for (name, value) in wish where !name.hasPrefix("-") { self[name] = value }
    }
}

extension Scheduler {
    fileprivate init(_ wish: NRILinuxScheduler) {
        let policies = [
            "SCHED_OTHER", "SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_ISO", "SCHED_IDLE",
            "SCHED_DEADLINE",
        ]
        let flags = [
            "SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN", "SCHED_FLAG_KEEP_POLICY",
            "SCHED_FLAG_KEEP_PARAMS", "SCHED_FLAG_UTIL_CLAMP_MIN", "SCHED_FLAG_UTIL_CLAMP_MAX",
        ]
        func name(_ list: [String], _ index: Int) -> String { list.indices.contains(index) ? list[index] : "unknown" }
        self.init(
            policy: name(policies, wish.policy.rawValue), nice: wish.nice, priority: wish.priority,
            flags: wish.flags.map { name(flags, $0.rawValue) }, runtime: wish.runtime, deadline: wish.deadline,
            period: wish.period)
    }
}

extension LinuxMemoryPolicy {
    fileprivate init(_ wish: NRILinuxMemoryPolicy) {
        let modes = [
            "MPOL_DEFAULT", "MPOL_PREFERRED", "MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_LOCAL", "MPOL_PREFERRED_MANY",
            "MPOL_WEIGHTED_INTERLEAVE",
        ]
        let flags = ["MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES", "MPOL_F_NUMA_BALANCING"]
        func name(_ list: [String], _ index: Int) -> String { list.indices.contains(index) ? list[index] : "unknown" }
        self.init(
            mode: name(modes, wish.mode.rawValue), nodes: wish.nodes.isEmpty ? nil : wish.nodes,
            flags: wish.flags.map { name(flags, $0.rawValue) })
    }
}

extension LinuxSeccomp {
    fileprivate init(_ wish: NRILinuxSeccomp) {
        self.init(
            defaultAction: wish.defaultAction, defaultErrnoRet: wish.hasDefaultErrno ? wish.defaultErrno.value : nil,
            architectures: wish.architectures, flags: wish.flags.isEmpty ? nil : wish.flags,
            listenerPath: wish.listenerPath.isEmpty ? nil : wish.listenerPath,
            listenerMetadata: wish.listenerMetadata.isEmpty ? nil : wish.listenerMetadata,
            syscalls: wish.syscalls.map { call in
                LinuxSyscall(
                    names: call.names, action: call.action, errnoRet: call.hasErrnoRet ? call.errnoRet.value : nil,
                    args: call.args.map {
                        LinuxSeccompArg(index: $0.index, value: $0.value, valueTwo: $0.valueTwo, op: $0.op)
                    })
            })
    }
}
