import OCISpec
import Testing

@testable import Cgroups

@Suite("Deciding what is written where")
struct ResourcePlanTests {
    private let v2 = CgroupHost(
        unified: .init(
            mountPoint: "/sys/fs/cgroup", controllers: ["cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma"]))
    private let v1 = CgroupHost(
        v1: ["cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "hugetlb", "net_cls"].map {
            .init(mountPoint: "/sys/fs/cgroup/" + $0, controllers: [$0])
        })

    private func lines(_ resources: LinuxResources, _ host: CgroupHost, _ current: ResourcePlan.Current = .init())
        throws -> [String]
    {
        try ResourcePlan(resources, host: host, current: current).writes.map { "\($0.file) = \($0.value)" }
    }

    @Test("every limit on version 2")
    func everythingV2() throws {
        let resources = LinuxResources(
            memory: LinuxMemory(limit: 1000, reservation: 500, swap: 3000),
            cpu: LinuxCPU(shares: 1024, quota: 50000, burst: 10, period: 100_000, cpus: "0-1", mems: "0", idle: 0),
            pids: LinuxPids(limit: 10),
            blockIO: LinuxBlockIO(
                weight: 500, weightDevice: [LinuxWeightDevice(major: 8, minor: 0, weight: 10)],
                throttleReadBpsDevice: [LinuxThrottleDevice(major: 8, minor: 0, rate: 7)],
                throttleWriteIOPSDevice: [LinuxThrottleDevice(major: 8, minor: 16, rate: 0)]),
            hugepageLimits: [LinuxHugepageLimit(pageSize: "2MB", limit: 4_194_304)],
            rdma: ["mlx5_1": LinuxRdma(hcaHandles: 3, hcaObjects: 4)],
            unified: ["memory.high": "900", "cgroup.max.depth": "3"])
        #expect(
            try lines(resources, v2) == [
                "cpu.idle = 0", "cpu.weight = 100", "cpu.max.burst = 10", "cpu.max = 50000 100000", "cpuset.cpus = 0-1",
                "cpuset.mems = 0", "memory.swap.max = 2000", "memory.max = 1000", "memory.low = 500", "pids.max = 10",
                "io.bfq.weight = default 500", "io.bfq.weight = 8:0 10", "io.max = 8:0 rbps=7",
                "io.max = 8:16 wiops=max",
                "hugetlb.2MB.max = 4194304", "hugetlb.2MB.rsvd.max = 4194304",
                "rdma.max = mlx5_1 hca_handle=3 hca_object=4",
                "cgroup.max.depth = 3", "memory.high = 900",
            ])
        var plain = ResourcePlan.Current()
        plain.hasBFQWeight = false
        #expect(
            try lines(LinuxResources(blockIO: LinuxBlockIO(weight: 1000)), v2, plain) == ["io.weight = default 10000"])
    }

    @Test("every limit on version 1")
    func everythingV1() throws {
        let resources = LinuxResources(
            devices: [
                LinuxDeviceCgroup(allow: false, access: "rwm"),
                LinuxDeviceCgroup(allow: true, type: "c", major: 10, minor: 229, access: "rw"),
            ],
            memory: LinuxMemory(
                limit: 1000, reservation: 500, swap: 3000, kernelTCP: 5, swappiness: 3, disableOOMKiller: true),
            cpu: LinuxCPU(
                shares: 1024, quota: 50000, period: 100_000, realtimeRuntime: 5, realtimePeriod: 6, cpus: "0-1",
                mems: "0"),
            pids: LinuxPids(limit: -1), hugepageLimits: [LinuxHugepageLimit(pageSize: "1GB", limit: 0)],
            network: LinuxNetwork(classID: 7))
        let found = try lines(resources, v1)
        #expect(
            found.prefix(20) == [
                "cpu.shares = 1024", "cpu.cfs_period_us = 100000", "cpu.cfs_quota_us = 50000", "cpu.rt_period_us = 6",
                "cpu.rt_runtime_us = 5", "cpuset.cpus = 0-1", "cpuset.mems = 0", "memory.limit_in_bytes = 1000",
                "memory.memsw.limit_in_bytes = 3000", "memory.soft_limit_in_bytes = 500",
                "memory.kmem.tcp.limit_in_bytes = 5",
                "memory.swappiness = 3", "memory.oom_control = 1", "pids.max = max", "hugetlb.1GB.limit_in_bytes = 0",
                "hugetlb.1GB.rsvd.limit_in_bytes = 0", "net_cls.classid = 7", "devices.deny = a",
                "devices.allow = c 10:229 rw",
                "devices.allow = c *:* m",
            ])
        #expect(found.contains("devices.allow = c 1:3 rwm"))
        #expect(found.last == "devices.allow = c 136:* rwm")
    }

    @Test("nothing asked for, nothing written")
    func nothing() throws {
        for host in [v1, v2] {
            #expect(try lines(LinuxResources(), host) == [])
            let empty = LinuxResources(
                memory: LinuxMemory(), cpu: LinuxCPU(), pids: LinuxPids(), blockIO: LinuxBlockIO(),
                network: LinuxNetwork())
            #expect(try lines(empty, host) == [])
            let zeros = LinuxResources(
                memory: LinuxMemory(limit: 0, swap: 0),
                cpu: LinuxCPU(shares: 0, quota: 0, period: 0, cpus: "", mems: ""))
            #expect(try lines(zeros, host) == [])
        }
    }

    @Test("shares become a weight through both defaults and both ends of the scales")
    func weights() {
        let known: [(UInt64, UInt64)] = [(1, 1), (2, 1), (1024, 100), (262_144, 10000), (1_000_000, 10000)]
        for (shares, weight) in known { #expect(CPUController.weight(shares: shares) == weight) }
        var last: UInt64 = 0
        for shares in stride(from: UInt64(2), through: 262_144, by: 97) {
            let weight = CPUController.weight(shares: shares)
            #expect(weight >= last && weight >= 1 && weight <= 10000)
            last = weight
        }
        #expect(IOController.weight(blkio: 10) == 1)
        #expect(IOController.weight(blkio: 1000) == 10000)
    }

    @Test("bandwidth: a period alone, a quota alone, and none")
    func bandwidth() throws {
        #expect(try lines(LinuxResources(cpu: LinuxCPU(quota: 5000)), v2) == ["cpu.max = 5000"])
        #expect(try lines(LinuxResources(cpu: LinuxCPU(period: 5000)), v2) == ["cpu.max = max 5000"])
        #expect(try lines(LinuxResources(cpu: LinuxCPU(quota: -1, period: 5000)), v2) == ["cpu.max = max 5000"])
        #expect(try lines(LinuxResources(cpu: LinuxCPU(shares: 5, idle: 1)), v2) == ["cpu.idle = 1"])
    }

    @Test("on version 2 half of a pair that is changed keeps the other half as it is")
    func halves() throws {
        var current = ResourcePlan.Current()
        current.quota = 7000
        current.memoryLimitBytes = 1000
        #expect(try lines(LinuxResources(cpu: LinuxCPU(period: 5000)), v2, current) == ["cpu.max = 7000 5000"])
        #expect(
            try lines(LinuxResources(memory: LinuxMemory(swap: 1500)), v2, current) == ["memory.swap.max = 500"])
    }

    @Test("swap counts together with memory in the configuration, and alone on version 2")
    func swap() throws {
        func swap(_ limit: Int64?, _ swap: Int64?) throws -> [String] {
            try lines(LinuxResources(memory: LinuxMemory(limit: limit, swap: swap)), v2)
        }
        #expect(try swap(100, 100) == ["memory.swap.max = 0", "memory.max = 100"])
        #expect(try swap(100, -1) == ["memory.swap.max = max", "memory.max = 100"])
        #expect(try swap(-1, nil) == ["memory.swap.max = max", "memory.max = max"])
        #expect(try swap(-1, -1) == ["memory.swap.max = max", "memory.max = max"])
        #expect(try swap(100, nil) == ["memory.max = 100"])
        #expect(throws: CgroupError.self) { try swap(100, 50) }
        let alone = #expect(throws: CgroupError.self) { try swap(nil, 50) }
        #expect(
            alone?.description
                == "cgroup: plan linux.resources.memory.swap: it counts memory and swap together, so memory.limit must be given"
        )
    }

    @Test("version 1: whichever of memory and swap grows is written first")
    func swapOrder() throws {
        func order(_ limit: Int64, _ swap: Int64?, before: Int64?) throws -> [String] {
            var current = ResourcePlan.Current()
            current.memoryAndSwapBytes = before
            return try lines(LinuxResources(memory: LinuxMemory(limit: limit, swap: swap)), v1, current)
        }
        let memory = "memory.limit_in_bytes = 100"
        let swap = "memory.memsw.limit_in_bytes = 200"
        #expect(try order(100, 200, before: nil) == [memory, swap])
        #expect(try order(100, 200, before: 300) == [memory, swap])
        #expect(try order(100, 200, before: 50) == [swap, memory])
        #expect(try order(100, -1, before: 50) == ["memory.memsw.limit_in_bytes = -1", memory])
        #expect(try order(-1, nil, before: 50) == ["memory.memsw.limit_in_bytes = -1", "memory.limit_in_bytes = -1"])
    }

    @Test("a limit below what is in use is refused if that was asked for")
    func checkBeforeUpdate() throws {
        var current = ResourcePlan.Current()
        current.memoryUsageBytes = 500
        let resources = LinuxResources(memory: LinuxMemory(limit: 400, checkBeforeUpdate: true))
        let error = #expect(throws: CgroupError.self) { try ResourcePlan(resources, host: v2, current: current) }
        #expect(
            error?.description
                == "cgroup: plan linux.resources.memory.limit: rejecting memory limit 400 <= usage 500"
        )
    }

    @Test("what the host can't do is an error that names the field")
    func missingControllers() {
        let bare = CgroupHost(v1: [.init(mountPoint: "/c/cpu", controllers: ["cpu"])])
        let cases: [(LinuxResources, String)] = [
            (LinuxResources(memory: LinuxMemory(limit: 5)), "linux.resources.memory.limit"),
            (LinuxResources(pids: LinuxPids(limit: 5)), "linux.resources.pids.limit"),
            (LinuxResources(cpu: LinuxCPU(cpus: "0")), "linux.resources.cpu.cpus"),
            (LinuxResources(devices: [LinuxDeviceCgroup(allow: false)]), "linux.resources.devices"),
            (LinuxResources(blockIO: LinuxBlockIO(weight: 10)), "linux.resources.blockIO.weight"),
            (
                LinuxResources(hugepageLimits: [LinuxHugepageLimit(pageSize: "2MB", limit: 1)]),
                "linux.resources.hugepageLimits"
            ),
            (LinuxResources(network: LinuxNetwork(classID: 5)), "linux.resources.network.classID"),
            (LinuxResources(rdma: ["a": LinuxRdma()]), "linux.resources.rdma"),
            (LinuxResources(unified: ["memory.high": "1"]), "linux.resources.unified.memory.high"),
        ]
        for (resources, field) in cases {
            let error = #expect(throws: CgroupError.self) { try ResourcePlan(resources, host: bare) }
            #expect(error?.step == "plan " + field)
            #expect(error?.hint != nil)
        }
    }

    @Test("a name that would leave the cgroup's directory is refused")
    func names() {
        for name in ["../memory.high", "memory/high", "memory", ".high"] {
            #expect(throws: CgroupError.self) { try ResourcePlan(LinuxResources(unified: [name: "1"]), host: v2) }
        }
        let pages = LinuxResources(hugepageLimits: [LinuxHugepageLimit(pageSize: "../2MB", limit: 1)])
        #expect(throws: CgroupError.self) { try ResourcePlan(pages, host: v2) }
    }
}
