import Cgroups
import Glibc
import Linux
import OCISpec

/// A container's cgroup with whoever manages it: this runtime, systemd, or nobody where this user may change none.
struct ContainerCgroup {
    /// What the record keeps: the path, systemd's "slice:prefix:name", or nothing.
    let name: String
    let cgroup: Cgroup?
    let systemd: SystemdCgroup?
    /// Keeps systemd's unit alive until the init is in it.
    private var holder: IdleProcess?

    /// Before the clone: the cgroup is there, and nothing that is done until ``admit(_:_:)`` is charged to it. systemd makes
    /// one only around a process.
    static func prepare(
        _ plan: LaunchPlan, _ request: LaunchRequest, _ undo: Undo
    ) throws(RuntimeError) -> ContainerCgroup {
        let host = try HostCgroups.host()
        if request.systemdCgroup {
            let systemd = try SystemdCgroup(plan.cgroupsPath, id: plan.id)
            let cgroup = try cgroups { () throws(CgroupError) in try Cgroup(path: systemd.path, host: host) }
            let holder = try step("systemd") { () throws(SystemError) in try IdleProcess() }
            try systemd.start(holder.pid, plan, host: host) {
                undo.add {
                    try? systemd.stop()
                    try? cgroup.remove()
                }
            }
            // systemd makes only the hierarchies that it manages.
            try cgroups { () throws(CgroupError) in
                try cgroup.create()
                try cgroup.addProcess(holder.pid)
            }
            return ContainerCgroup(name: plan.cgroupsPath, cgroup: cgroup, systemd: systemd, holder: holder)
        }
        let path = plan.cgroupsPath.isEmpty ? "/" + plan.id : plan.cgroupsPath
        let cgroup = try cgroups { () throws(CgroupError) in try Cgroup(path: path, host: host) }
        // A cgroup that was there belongs to somebody else.
        let existed = cgroup.exists
        try refuseUsed(cgroup)
        do throws(CgroupError) {
            try cgroup.create()
        } catch {
            guard request.rootless.isOn, [.access, .perm, .readOnly].contains(error.errno) else {
                throw RuntimeError(error.description)
            }
            if !plan.cgroupsPath.isEmpty || plan.resources.map({ $0.hasLimits }) ?? false {
                throw RuntimeError(
                    "rootless needs no limits + no cgrouppath when no permission is granted for cgroups: \(error)")
            }
            return ContainerCgroup(name: "", cgroup: nil, systemd: nil)
        }
        if !existed { undo.add { try? cgroup.remove() } }
        return ContainerCgroup(name: path, cgroup: cgroup, systemd: nil)
    }

    private static func refuseUsed(_ cgroup: Cgroup) throws(RuntimeError) {
        let count = try cgroups { () throws(CgroupError) in try cgroup.processes().count }
        if count > 0 { throw RuntimeError("container's cgroup is not empty: \(count) process(es) found") }
        if cgroup.isFrozen { throw RuntimeError("container's cgroup unexpectedly frozen") }
    }

    /// Sets the limits of a cgroup that is there.
    func limit(_ plan: LaunchPlan) throws(RuntimeError) {
        guard let cgroup, let resources = plan.resources else { return }
        try cgroups { () throws(CgroupError) in try cgroup.apply(resources) }
    }

    /// What the init needs to join by itself once it has mounted everything.
    func openTasks() throws(RuntimeError) -> TaskFiles? {
        guard let cgroup, !cgroup.host.v1.isEmpty else { return nil }
        return try cgroups { () throws(CgroupError) in try cgroup.openTasks() }
    }

    /// On a hybrid host the v2 cgroup in which the init is born: memory isn't charged there. Nil elsewhere.
    func openBirthplace() throws(RuntimeError) -> Descriptor? {
        guard let cgroup, cgroup.host.mode == .hybrid else { return nil }
        do throws(CgroupError) {
            return try cgroup.openForClone()
        } catch {
            throw RuntimeError(error.description)
        }
    }

    /// Takes the init in where it hasn't joined by itself: on v2, since memory is charged from then on.
    mutating func admit(_ pid: pid_t, _ plan: LaunchPlan) throws(RuntimeError) {
        guard let cgroup else { return }
        if cgroup.host.mode == .v2 { try cgroups { () throws(CgroupError) in try cgroup.addProcess(pid) } }
        try finish(plan)
    }

    /// Takes a process in that knows nothing of it.
    mutating func admitStranger(_ pid: pid_t, _ plan: LaunchPlan) throws(RuntimeError) {
        guard let cgroup else { return }
        try cgroups { () throws(CgroupError) in try cgroup.addProcess(pid) }
        try finish(plan)
    }

    private mutating func finish(_ plan: LaunchPlan) throws(RuntimeError) {
        if let owner = plan.cgroupOwner, let cgroup {
            try cgroups { () throws(CgroupError) in try cgroup.delegate(to: owner) }
        }
        holder = nil
    }

    /// A container's that was made before.
    init(_ record: ContainerRecord) throws(RuntimeError) {
        name = record.cgroupsPath
        systemd = record.systemd ? try SystemdCgroup(record.cgroupsPath, id: record.id) : nil
        if record.cgroupsPath.isEmpty, systemd == nil {
            cgroup = nil
            return
        }
        let path = systemd?.path ?? record.cgroupsPath
        let host = try HostCgroups.host()
        cgroup = try cgroups { () throws(CgroupError) in try Cgroup(path: path, host: host) }
    }

    private init(name: String, cgroup: Cgroup?, systemd: SystemdCgroup?, holder: IdleProcess? = nil) {
        self.holder = holder
        self.name = name
        self.cgroup = cgroup
        self.systemd = systemd
    }

    /// - Throws: for a container that has none.
    func required() throws(RuntimeError) -> Cgroup {
        guard let cgroup else {
            throw RuntimeError("the container has no cgroup: it was made without the right to one")
        }
        return cgroup
    }

    /// Ends whatever is left in it, and takes it away.
    func remove() throws(RuntimeError) {
        guard let cgroup else { return }
        // systemd takes its own away; of any other, mostly nothing is left but the folders.
        if systemd == nil, cgroup.removeIfEmpty() { return }
        try cgroups { () throws(CgroupError) in try cgroup.killAll() }
        try systemd?.stop()
        try cgroups { () throws(CgroupError) in try cgroup.remove() }
    }
}

extension LinuxResources {
    /// Whether anything but the device list is asked for.
    var hasLimits: Bool {
        memory != nil || cpu != nil || pids != nil || blockIO != nil || !hugepageLimits.isEmpty || network != nil
            || !rdma.isEmpty || !unified.isEmpty
    }
}

extension LaunchPlan {
    /// The host's id of the container's root, to whom a writable cgroup belongs (cgroups(7), delegation); nil otherwise.
    var cgroupOwner: UInt32? {
        guard namespaces.creates(.user), namespaces.creates(.cgroup),
            mounts.contains(where: { $0.kind == .cgroup && $0.options.clear.contains(.readOnly) })
        else { return nil }
        return uidMappings.first { $0.containerID == 0 }?.hostID
    }
}
