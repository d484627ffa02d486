import Glibc
import Linux
public import OCISpec

extension Cgroup {
    /// Puts limits on the cgroup; ones that the resources don't name stay as they are.
    ///
    /// - Parameter updating: the cgroup may have limits and processes already, whose state decides the order of writes.
    /// - Throws: `CgroupError` naming the field, the file and what the kernel said; writes made before it stay.
    public func apply(_ resources: LinuxResources, updating: Bool = false) throws(CgroupError) {
        var current = ResourcePlan.Current()
        if updating, let memory = resources.memory { current.readMemory(of: self, for: memory) }
        if updating, resources.cpu != nil { current.readCPU(of: self) }
        if let io = resources.blockIO { current.readIO(of: self, for: io) }
        let plan = try ResourcePlan(resources, host: host, current: current)
        if host.mode == .hybrid { handDownForHybrid(plan) }
        try apply(plan)
    }

    /// On a hybrid host nothing is handed down in v2 until it is asked for: it is the few controllers that v1 left.
    private func handDownForHybrid(_ plan: ResourcePlan) {
        guard let unified = host.unified, let leaf = unifiedDirectory else { return }
        let needed = Set(plan.writes.map(\.controller)).intersection(unified.controllers)
        if !needed.isEmpty { handDown(needed.sorted(), from: unified.mountPoint, to: leaf) }
    }

    /// Carries a plan out.
    public func apply(_ plan: ResourcePlan) throws(CgroupError) {
        var again: [CgroupWrite] = []
        var controller = ""
        var open: ControlFile?
        for write in plan.writes {
            if write.controller != controller {
                for write in again { try perform(write, &open) }
                again = []
                controller = write.controller
            }
            do throws(CgroupError) {
                try perform(write, &open)
            } catch {
                guard write.refusal == .triedAgain, error.errno == .invalid else { throw error }
                again.append(write)
            }
        }
        for write in again { try perform(write, &open) }
        if let program = plan.deviceProgram, let directory = unifiedDirectory {
            try program.attach(toDirectory: directory)
        }
    }

    /// A control file that is written more than once, line by line, as a v1 list of devices is.
    private struct ControlFile: ~Copyable {
        let path: String
        let descriptor: Descriptor
    }

    private func perform(_ write: CgroupWrite, _ open: inout ControlFile?) throws(CgroupError) {
        guard let directory = directory(write.controller) ?? unifiedDirectory else { return }
        do throws(SystemError) {
            let path = directory + "/" + write.file
            if open?.path != path { open = ControlFile(path: path, descriptor: try File.open(path, O_WRONLY)) }
            var value = write.value
            let done = value.withUTF8 { pwrite(open?.descriptor.raw ?? -1, $0.baseAddress, $0.count, 0) }
            if done != value.utf8.count { throw SystemError("write", path: path, errno: done < 0 ? .current : .io) }
        } catch {
            if write.refusal == .passedOver { return }
            throw CgroupError(
                "set \(write.field) to '\(write.value)'", error, hint: hint(error.errno, write, directory: directory))
        }
    }

    private func hint(_ errno: Errno, _ write: CgroupWrite, directory: String) -> String? {
        switch (errno, write.controller) {
        case (.noEntry, _),
            (.access, _) where !File.exists(directory + "/" + write.file):
            if !File.exists(directory) { return "the cgroup doesn't exist" }
            if host.hierarchy(of: write.controller) == nil {
                return "the \(write.controller) controller isn't handed down to this cgroup: its parents' "
                    + "cgroup.subtree_control lack it, or the kernel lacks this file"
            }
            return "this kernel has no such limit"
        case (.busy, "memory"): return "more memory is in use than the new limit, and it can't be reclaimed"
        case (.invalid, "cpu"): return "out of the kernel's range, or more than the parent cgroup has"
        case (.perm, "devices"): return "the parent cgroup doesn't have this device itself"
        case (.invalid, "cpuset"), (.access, "cpuset"), (.noSpace, "cpuset"), (.range, "cpuset"):
            return "not a list of processors or nodes that the parent cgroup has"
        case (.noDevice, "blkio"), (.noDevice, "io"): return "this host has no such block device"
        default: return nil
        }
    }
}

extension ResourcePlan.Current {
    mutating func readMemory(of cgroup: Cgroup, for memory: LinuxMemory) {
        if cgroup.host.hierarchy(of: "memory") != nil {
            memoryAndSwapBytes = cgroup.number("memory", "memory.memsw.limit_in_bytes").map { Int64(clamping: $0) }
        }
        if cgroup.host.hierarchy(of: "memory") == nil, let directory = cgroup.unifiedDirectory {
            let text = (try? File.readText(directory + "/memory.max", limit: 4096))?.prefix { $0 != "\n" }
            memoryLimitBytes = text.flatMap { Int64($0) }
        }
        if memory.checkBeforeUpdate == true {
            memoryUsageBytes = cgroup.memoryUsageBytes.map { Int64(clamping: $0) }
        }
    }

    /// `cpu.max` is "50000 100000" or "max 100000" (cgroup-v2.rst).
    mutating func readCPU(of cgroup: Cgroup) {
        guard cgroup.host.hierarchy(of: "cpu") == nil, let directory = cgroup.unifiedDirectory else { return }
        let words = (try? File.readText(directory + "/cpu.max", limit: 4096))?.split(separator: " ")
        quota = words?.first.flatMap { Int64($0) }
    }

    mutating func readIO(of cgroup: Cgroup, for io: LinuxBlockIO) {
        if let directory = cgroup.directory("blkio") {
            hasBFQWeight = !File.exists(directory + "/blkio.weight")
        } else if let directory = cgroup.unifiedDirectory {
            hasBFQWeight = File.exists(directory + "/io.bfq.weight")
        }
    }
}
