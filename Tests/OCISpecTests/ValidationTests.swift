import JSON
import OCISpec
import Testing

@Suite("What breaks the specification")
struct ValidationTests {
    /// A good configuration, changed.
    private func violations(_ change: (inout Spec) -> Void) -> [String] {
        var spec = Spec.starter()
        change(&spec)
        return spec.validate().map(\.description)
    }

    private func linux(_ change: (inout LinuxSection) -> Void) -> [String] {
        violations { spec in
            var section = spec.linux ?? LinuxSection()
            change(&section)
            spec.linux = section
        }
    }

    private func process(_ change: (inout Process) -> Void) -> [String] {
        violations { spec in
            var process = spec.process ?? Process()
            change(&process)
            spec.process = process
        }
    }

    @Test("all violations are told at once, each with its clause")
    func all() {
        let found = violations { spec in
            spec.ociVersion = "one"
            spec.root = nil
            spec.process?.cwd = "tmp"
            spec.linux?.namespaces.append(LinuxNamespace(type: .pid, path: "ns"))
        }
        #expect(
            found == [
                "ociVersion: 'one' is no version (SemVer 2.0.0) (config.md, Specification version)",
                "root: it is missing (config.md, Root)",
                "process.cwd: 'tmp' is not an absolute path (config.md, Process)",
                "linux.namespaces[6].type: 'pid' is there twice (config-linux.md, Namespaces)",
                "linux.namespaces[6].path: 'ns' is not an absolute path (config-linux.md, Namespaces)",
            ])
    }

    @Test("versions", arguments: ["1.0.0", "1.0.2-dev", "0.5.0-rc.1+x", "1.3.0+dev"])
    func goodVersions(version: String) {
        #expect(violations { $0.ociVersion = version } == [])
    }

    @Test(
        "no versions",
        arguments: ["", "1", "1.0", "1.0.0.0", "01.0.0", "1.0.x", "1.0.0-", "1.0.0-a..b", "2.0.0", "v1.0.0"])
    func badVersions(version: String) {
        #expect(violations { $0.ociVersion = version }.count == 1)
    }

    @Test("a process that the kernel couldn't be asked for")
    func processes() {
        #expect(process { $0.args = ["sh\0x"] }.count == 1)
        #expect(process { $0.env = ["A=\0"] }.count == 1)
        #expect(process { $0.oomScoreAdj = 1001 }.count == 1)
        #expect(process { $0.consoleSize = Box(height: 70000, width: 1) }.count == 1)
        #expect(process { $0.rlimits.append(POSIXRlimit(type: "RLIMIT_NOFILE", hard: 1, soft: 1)) }.count == 1)
        #expect(process { $0.rlimits = [POSIXRlimit(type: "RLIMIT_NOFILE", hard: 1, soft: 2)] }.count == 1)
        #expect(process { $0.rlimits = [POSIXRlimit(type: "NOFILE", hard: 1, soft: 1)] }.count == 1)
        #expect(process { $0.ioPriority = LinuxIOPriority(class: "IOPRIO_CLASS_BE", priority: 8) }.count == 1)
        #expect(process { $0.scheduler = Scheduler(policy: "SCHED_OTHER", priority: 3) }.count == 1)
        #expect(process { $0.execCPUAffinity = CPUAffinity(initial: "0-1;2") }.count == 1)
        #expect(Spec.starter().validate() == [])
    }

    @Test("a start needs a program, a creation doesn't")
    func noProgram() {
        var spec = Spec.starter()
        spec.process?.args = []
        #expect(spec.validate() == [])
        #expect(spec.validateForStart().map(\.path) == ["process.args"])
        spec.process = nil
        #expect(spec.validateForStart().map(\.path) == ["process"])
    }

    @Test("a name without a namespace of its own would be the host's")
    func hostNames() {
        #expect(
            linux { $0.namespaces.removeAll { $0.type == .uts } } == [
                "hostname: it needs a uts namespace in linux.namespaces (config.md, Hostname)"
            ])
        #expect(violations { $0.domainname = String(repeating: "x", count: 65) }.count == 1)
    }

    @Test(
        "kernel parameters of the host, and ones that are dressed up as a namespace's, are refused (CVE-2022-0811)",
        arguments: [
            "kernel.core_pattern", "vm.swappiness", "kernel.shm_rmid_forced/../core_pattern", "net..", "net.",
            "net.ipv4.../../kernel/core_pattern", "net/../kernel/core_pattern", "fs.file-max",
            "kernel.msgmax+kernel.core_pattern",
            ".net.x", "net.x/../../kernel.core_pattern", "kernel/msgmax",
        ])
    func hostSysctls(name: String) {
        #expect(linux { $0.sysctl = [name: "1"] }.count == 1)
    }

    @Test(
        "kernel parameters of a namespace need that namespace",
        arguments: [
            ("net.ipv4.ip_forward", LinuxNamespaceType.network), ("kernel.msgmax", .ipc), ("fs.mqueue.msg_max", .ipc),
            ("kernel.domainname", .uts), ("net.ipv4.conf.eth0/100.forwarding", .network),
        ])
    func namespacedSysctls(name: String, namespace: LinuxNamespaceType) {
        #expect(linux { $0.sysctl = [name: "1"] } == [])
        #expect(Sysctl.namespace(of: name) == namespace)
        let without = violations { spec in
            spec.hostname = nil
            spec.linux?.sysctl = [name: "1"]
            spec.linux?.namespaces.removeAll { $0.type == namespace }
        }
        #expect(without.count == 1)
    }

    @Test("namespaces and mappings that contradict each other")
    func namespaces() {
        #expect(linux { $0.namespaces.append(LinuxNamespace(type: LinuxNamespaceType(rawValue: "net"))) }.count == 1)
        #expect(linux { $0.uidMappings = [LinuxIDMapping(containerID: 0, hostID: 1, size: 1)] }.count == 1)
        #expect(
            linux {
                $0.namespaces.append(LinuxNamespace(type: .user))
                $0.uidMappings = [LinuxIDMapping(containerID: 0, hostID: .max, size: 2)]
                $0.gidMappings = [LinuxIDMapping(containerID: 0, hostID: 1, size: 0)]
            }.count == 2)
        #expect(linux { $0.timeOffsets = ["monotonic": LinuxTimeOffset()] }.count == 1)
        #expect(
            linux {
                $0.namespaces.append(LinuxNamespace(type: .time))
                $0.timeOffsets = ["realtime": LinuxTimeOffset(nanosecs: 1_000_000_000)]
            }.count == 2)
    }

    @Test("devices that can't be made")
    func devices() {
        #expect(linux { $0.devices = [LinuxDevice(path: "dev/x", type: "c", major: 1, minor: 3)] }.count == 1)
        #expect(linux { $0.devices = [LinuxDevice(path: "/dev/x", type: "x", major: 1, minor: 3)] }.count == 1)
        #expect(linux { $0.devices = [LinuxDevice(path: "/dev/x", type: "c", major: 1)] }.count == 1)
        #expect(linux { $0.devices = [LinuxDevice(path: "/dev/x", type: "p")] } == [])
        let device = LinuxDevice(path: "/dev/x", type: "c", major: 1, minor: 3)
        var other = device
        other.minor = 5
        #expect(linux { $0.devices = [device, device] } == [])
        #expect(linux { $0.devices = [device, other] }.count == 1)
        #expect(linux { $0.netDevices = ["eth0": LinuxNetDevice(name: "a/b")] }.count == 1)
        #expect(linux { $0.netDevices = ["a-name-of-16-byte": LinuxNetDevice()] }.count == 1)
    }

    @Test("resources that mean nothing")
    func resources() {
        func broken(_ resources: LinuxResources) -> Int { resources.validate().count }
        #expect(broken(LinuxResources(devices: [LinuxDeviceCgroup(allow: true, type: "x", access: "rx")])) == 2)
        #expect(broken(LinuxResources(memory: LinuxMemory(swappiness: 101))) == 1)
        #expect(broken(LinuxResources(cpu: LinuxCPU(cpus: "0-1\n2"))) == 1)
        #expect(broken(LinuxResources(pids: LinuxPids())) == 1)
        #expect(broken(LinuxResources(blockIO: LinuxBlockIO(weight: 9))) == 1)
        #expect(broken(LinuxResources(unified: ["../x.y": "1", "memory": "1"])) == 2)
        for size in ["64kB", "0MB", "2M", "MB", "2MB ", "2 MB", "../2MB"] {
            #expect(broken(LinuxResources(hugepageLimits: [LinuxHugepageLimit(pageSize: size, limit: 1)])) == 1)
        }
    }

    @Test("a filter that no kernel takes")
    func seccomp() {
        func broken(_ change: (inout LinuxSeccomp) -> Void) -> Int {
            linux {
                var filter = LinuxSeccomp(defaultAction: "SCMP_ACT_ERRNO")
                change(&filter)
                $0.seccomp = filter
            }.count
        }
        #expect(broken { _ in } == 0)
        #expect(broken { $0.defaultAction = "SCMP_ACT_NOTIFY" } == 1)
        #expect(broken { $0.defaultAction = "ALLOW" } == 1)
        #expect(broken { $0.architectures = ["x86"] } == 1)
        #expect(broken { $0.flags = ["x"] } == 1)
        #expect(broken { $0.listenerMetadata = "x" } == 1)
        #expect(broken { $0.syscalls = [LinuxSyscall(names: [], action: "SCMP_ACT_ALLOW")] } == 1)
        let arguments = [LinuxSeccompArg(index: 6, value: 0, op: "==")]
        #expect(
            broken { $0.syscalls = [LinuxSyscall(names: ["read"], action: "SCMP_ACT_ALLOW", args: arguments)] } == 2)
    }

    @Test("paths, hooks and the rest")
    func rest() {
        #expect(linux { $0.maskedPaths = ["proc"] }.count == 1)
        #expect(linux { $0.readonlyPaths = [""] }.count == 1)
        #expect(linux { $0.rootfsPropagation = "public" }.count == 1)
        #expect(linux { $0.personality = LinuxPersonality(domain: "BSD", flags: ["x"]) }.count == 2)
        #expect(linux { $0.memoryPolicy = LinuxMemoryPolicy(mode: "BIND", nodes: "a", flags: ["b"]) }.count == 3)
        #expect(linux { $0.intelRdt = LinuxIntelRdt(closID: "../x", schemata: ["a\nb"], memBwSchema: "L3") }.count == 3)
        #expect(violations { $0.hooks = Hooks(poststop: [Hook(path: "x", timeout: 0)]) }.count == 2)
        #expect(violations { $0.mounts = [Mount(destination: "")] }.count == 1)
        #expect(
            violations { $0.mounts[0].uidMappings = [LinuxIDMapping(containerID: 0, hostID: 0, size: 1)] }.count == 1)
        #expect(violations { $0.root = Root(path: "") }.count == 1)
    }
}
