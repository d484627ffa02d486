import Glibc
import Linux
import OCISpec
import TestKit
import Testing

@testable import Cgroups

@Suite("Cgroups on this host", .needs(.root), .serialized)
struct CgroupTests {
    @Test("are made with their parents in every hierarchy, twice without harm, and go without a trace")
    func life() async throws {
        try await OnRealCgroups.use("life") { cgroup in
            #expect(cgroup.exists)
            for (_, path) in cgroup.directories { #expect(File.exists(path)) }
            try cgroup.create()
            if let directory = cgroup.directory("cpuset") {
                #expect(try File.readText(directory + "/cpuset.cpus") != "\n")
                #expect(try File.readText(directory + "/cpuset.mems") != "\n")
            }
            #expect(try cgroup.processes() == [])
            try cgroup.remove()
            #expect(!cgroup.exists)
            try cgroup.remove()
            #expect(try cgroup.processes() == [])
            #expect(cgroup.stats() == CgroupStats())
        }
    }

    @Test("a failure halfway leaves nothing half made")
    func halfway() throws {
        var host = try CgroupHost.detect()
        host.v1.append(.init(mountPoint: "/nonexistent", controllers: ["last"]))
        host.unified = nil
        let cgroup = try Cgroup(path: OnRealCgroups.name("halfway") + "/a/b", host: host)
        let error = #expect(throws: CgroupError.self) { try cgroup.create() }
        #expect(error?.path?.hasPrefix("/nonexistent/") == true)
        let parent = try Cgroup(path: OnRealCgroups.name("halfway"), host: host)
        #expect(parent.directories.filter { File.exists($0.path) }.isEmpty)
    }

    @Test("hold processes, count them and kill them, however they fork")
    func processes() async throws {
        try await OnRealCgroups.use("processes") { cgroup in
            let child = try OnRealCgroups.sleeper(
                in: cgroup, "sleep 1000 & sleep 1000 & while :; do (sleep 1000 &); sleep 0.01; done")
            try await eventually("the processes are counted") { try cgroup.processes().count > 5 }
            #expect(try cgroup.processes().contains(child.pid))
            for (controller, path) in cgroup.directories {
                let text = try File.readText(path + "/cgroup.procs")
                #expect(text.split(separator: "\n").contains(Substring(String(child.pid))), "\(controller)")
            }
            if cgroup.directory("pids") != nil { #expect((cgroup.stats().pids?.current ?? 0) > 5) }
            try cgroup.killAll()
            #expect(try child.pidfd.wait() == .signalled(SIGKILL))
            #expect(try cgroup.processes() == [])
        }
    }

    @Test("kill without cgroup.kill reaches every process too")
    func killV1() async throws {
        var host = try CgroupHost.detect()
        guard !host.v1.isEmpty else { return }
        host.unified = nil
        let cgroup = try Cgroup(path: OnRealCgroups.name("kill-v1"), host: host)
        try cgroup.create()
        let child = try OnRealCgroups.sleeper(in: cgroup, "for i in 1 2 3 4 5; do sleep 1000 & done; wait")
        try await eventually("they run") { try cgroup.processes().count > 5 }
        try cgroup.freeze()
        #expect(cgroup.isFrozen)
        try cgroup.killAll()
        #expect(try child.pidfd.wait() == .signalled(SIGKILL))
        try cgroup.remove()
        #expect(!cgroup.exists)
    }

    @Test("a signal reaches every process")
    func signals() async throws {
        try await OnRealCgroups.use("signals") { cgroup in
            let child = try OnRealCgroups.sleeper(in: cgroup, "exec sleep 1000")
            try cgroup.signal(SIGTERM)
            #expect(try child.pidfd.wait() == .signalled(SIGTERM))
        }
    }

    @Test("freeze and thaw")
    func freezing() async throws {
        try await OnRealCgroups.use("freeze") { cgroup in
            let child = try OnRealCgroups.sleeper(in: cgroup, "while :; do :; done")
            #expect(!cgroup.isFrozen)
            try cgroup.freeze()
            #expect(cgroup.isFrozen)
            let before = try ProcessStat(pid: child.pid)
            try cgroup.thaw()
            #expect(!cgroup.isFrozen)
            try cgroup.thaw()
            #expect(before.pid == child.pid)
            try cgroup.killAll()
            _ = try child.pidfd.wait()
        }
    }

    @Test("removal of one with processes names them, and works once they are gone")
    func busy() async throws {
        try await OnRealCgroups.use("busy") { cgroup in
            let child = try OnRealCgroups.sleeper(in: cgroup)
            let error = #expect(throws: CgroupError.self) { try cgroup.remove(withinMilliseconds: 20) }
            #expect(error?.description.contains("processes are still in it: \(child.pid)") == true)
            try cgroup.killAll()
            _ = try child.pidfd.wait()
        }
    }

    @Test("an empty one goes at a word, and the word does nothing to one with processes")
    func empty() async throws {
        try await OnRealCgroups.use("empty") { cgroup in
            let child = try OnRealCgroups.sleeper(in: cgroup)
            #expect(!cgroup.removeIfEmpty())
            for (_, path) in cgroup.directories { #expect(File.exists(path)) }
            try cgroup.killAll()
            _ = try child.pidfd.wait()
            try cgroup.remove()
            try cgroup.create()
            #expect(cgroup.removeIfEmpty())
            for (_, path) in cgroup.directories { #expect(!File.exists(path)) }
        }
    }

    @Test("limits are what the kernel then says")
    func limits() async throws {
        try await OnRealCgroups.use("limits") { cgroup in
            try #require(cgroup.host.has("memory") && cgroup.host.has("pids") && cgroup.host.has("cpu"))
            try cgroup.apply(
                LinuxResources(
                    memory: LinuxMemory(limit: 64 << 20, reservation: 32 << 20),
                    cpu: LinuxCPU(shares: 512, quota: 50000, period: 100_000, cpus: "0", mems: "0"),
                    pids: LinuxPids(limit: 40)))
            let stats = cgroup.stats()
            #expect(stats.memory?.limitBytes == 64 << 20)
            #expect(stats.pids?.limit == 40)
            #expect(stats.cpu != nil)
            #expect(stats.outOfMemoryKills == 0)
            if let directory = cgroup.directory("cpu") {
                #expect(try File.readText(directory + "/cpu.shares") == "512\n")
                #expect(try File.readText(directory + "/cpu.cfs_quota_us") == "50000\n")
            }
            // Up, down and away again, on what has limits already.
            for limit in [Int64(128 << 20), 16 << 20, -1] {
                try cgroup.apply(
                    LinuxResources(
                        memory: LinuxMemory(limit: limit, swap: limit), cpu: LinuxCPU(quota: 400_000, period: 1_000_000)
                    ),
                    updating: true)
                #expect(cgroup.stats().memory?.limitBytes == (limit < 0 ? nil : UInt64(limit)))
                try cgroup.apply(LinuxResources(cpu: LinuxCPU(quota: 5000, period: 10000)), updating: true)
            }
            try cgroup.apply(LinuxResources(cpu: LinuxCPU(period: 20000)), updating: true)
            if let directory = cgroup.directory("cpu") {
                #expect(try File.readText(directory + "/cpu.cfs_quota_us") == "5000\n")
            } else if let directory = cgroup.unifiedDirectory {
                #expect(try File.readText(directory + "/cpu.max") == "5000 20000\n")
            }
        }
    }

    @Test("a limit that the kernel refuses is named with field, value, file and reason")
    func refusedLimit() async throws {
        try await OnRealCgroups.use("refused") { cgroup in
            let error = #expect(throws: CgroupError.self) {
                try cgroup.apply(LinuxResources(cpu: LinuxCPU(cpus: "4000")))
            }
            let text = error?.description ?? ""
            #expect(text.hasPrefix("cgroup: set linux.resources.cpu.cpus to '4000': /sys/fs/cgroup/"))
            #expect(text.contains("cpuset.cpus: "))
            #expect(text.contains("not a list of processors or nodes that the parent cgroup has"))
        }
    }

    @Test("the number of processes is kept")
    func pids() async throws {
        try await OnRealCgroups.use("pids") { cgroup in
            try cgroup.apply(LinuxResources(pids: LinuxPids(limit: 3)))
            let child = try OnRealCgroups.sleeper(in: cgroup, "for i in 1 2 3 4 5 6; do sleep 1000 & done; wait")
            // The shell ends when a fork is refused.
            #expect(try child.pidfd.wait() != .exited(code: 0))
            #expect(try cgroup.processes().count <= 3)
        }
    }

    @Test("devices are refused that the list doesn't have")
    func devices() async throws {
        try await OnRealCgroups.use("devicelist") { cgroup in
            try cgroup.apply(LinuxResources(devices: [LinuxDeviceCgroup(allow: false, access: "rwm")]))
            try await Scratch.use { scratch in
                let child = try OnRealCgroups.sleeper(
                    in: cgroup,
                    """
                    cd \(scratch.path)
                    : > /dev/null && : < /dev/zero && echo basic >> out
                    mknod kmsg c 1 11 && (: < kmsg) || echo refused >> out
                    """)
                #expect(try child.pidfd.wait() == .exited(code: 0))
                #expect(try File.readText(scratch.file("out")) == "basic\nrefused\n")
            }
        }
    }

    @Test("a kill for want of memory is counted")
    func outOfMemory() async throws {
        try await OnRealCgroups.use("oom") { cgroup in
            try cgroup.apply(LinuxResources(memory: LinuxMemory(limit: 8 << 20, swap: 8 << 20)))
            let child = try OnRealCgroups.sleeper(in: cgroup, "exec tail /dev/zero")
            #expect(try child.pidfd.wait() == .signalled(SIGKILL))
            #expect(cgroup.outOfMemoryKills() == 1)
        }
    }

    @Test("time of processors is counted")
    func time() async throws {
        try await OnRealCgroups.use("time") { cgroup in
            let child = try OnRealCgroups.sleeper(in: cgroup, "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done")
            _ = try child.pidfd.wait()
            #expect((cgroup.cpuUsageNanoseconds() ?? 0) > 1_000_000)
        }
    }

    @Test("a relative path stands below the own cgroup")
    func relative() throws {
        let host = try CgroupHost.detect()
        let cgroup = try Cgroup(path: "x", host: host)
        let own = try Cgroup.parse(File.readText("/proc/self/cgroup"))
        for hierarchy in host.v1 where hierarchy.root == "/" {
            let parent = try #require(own[hierarchy.controllers[0]])
            #expect(
                cgroup.directory(hierarchy.controllers[0]) == hierarchy.mountPoint + (parent == "/" ? "" : parent)
                    + "/x")
        }
    }
}
