import FoundationEssentials
import CRI
import Cgroups
import Images
import OCISpec
import Testing

@testable import Sandboxes

/// A spec input with nothing special in it, for tests to change.
func plainInput(_ change: (inout ContainerSpecInput) -> Void = { _ in }) -> ContainerSpecInput {
    var config = CRIContainerConfig()
    config.metadata.name = "main"
    config.image.image = "localhost/busybox:latest"
    config.command = ["/bin/true"]
    config.linux.securityContext.namespaceOptions.pid = .container
    var pod = CRIPodSandboxConfig()
    pod.metadata.name = "web"
    pod.metadata.namespace = "default"
    pod.metadata.uid = "u1"
    var input = ContainerSpecInput(
        id: ContainerID(), sandbox: SandboxID(), config: config, sandboxConfig: pod, image: ImageConfig(),
        imageName: "localhost/busybox:latest", user: ResolvedUser(uid: 0, gid: 0, groups: [0], home: "/root"),
        rootfs: "/state/containers/x/rootfs", files: PodFiles(directory: "/state/sandboxes/y"), pausePID: 4711,
        netns: "/run/netns/kubesim-y", targetPID: nil, hostname: "web", mounts: [], volumes: [], devices: [],
        localhostSeccomp: nil, cgroupsPath: "/kubepods/x", facts: plainFacts)
    change(&input)
    return input
}

let plainFacts = HostFacts(
    seccompArchitecture: .x86, seccompArchitectures: ["SCMP_ARCH_X86_64"], cgroupsV2: false, hugetlb: false,
    swapAccounting: true, capabilities: Set(Capabilities.all), lowestOOMScoreAdj: 0, appArmor: false, selinux: false,
    hostname: "node")

/// What kubesim-oci can do.
let plainFeatures: RuntimeFeatures = {
    var features = RuntimeFeatures()
    features.recursiveReadOnlyMounts = true
    features.userNamespaces = true
    return features
}()

@Suite("A container's spec")
struct ContainerSpecTests {
    private func spec(_ change: (inout ContainerSpecInput) -> Void = { _ in }) throws -> Spec {
        let spec = try ContainerSpec.build(plainInput(change))
        #expect(spec.validate().isEmpty)
        return spec
    }

    private func namespace(_ spec: Spec, _ type: LinuxNamespaceType) -> LinuxNamespace? {
        spec.linux?.namespaces.first { $0.type == type }
    }

    @Test("an ordinary container joins the pod's network, ipc and names, and has the rest for itself")
    func namespaces() throws {
        let spec = try spec()
        #expect(namespace(spec, .network)?.path == "/run/netns/kubesim-y")
        #expect(namespace(spec, .ipc)?.path == "/proc/4711/ns/ipc")
        #expect(namespace(spec, .uts)?.path == "/proc/4711/ns/uts")
        #expect(namespace(spec, .pid) == LinuxNamespace(type: .pid))
        #expect(namespace(spec, .mount) == LinuxNamespace(type: .mount))
        #expect(namespace(spec, .cgroup) == LinuxNamespace(type: .cgroup))
        #expect(spec.hostname == nil)
    }

    @Test("namespaces of the host, of the pod and of a target are what is asked")
    func namespaceModes() throws {
        let host = try spec {
            $0.netns = nil
            $0.config.linux.securityContext.namespaceOptions.pid = .node
            $0.config.linux.securityContext.namespaceOptions.ipc = .node
        }
        for type in [LinuxNamespaceType.network, .uts, .pid, .ipc] { #expect(namespace(host, type) == nil) }
        #expect(host.mounts.first { $0.destination == "/dev/shm" }?.source == "/dev/shm")
        let shared = try spec { $0.config.linux.securityContext.namespaceOptions.pid = .pod }
        #expect(namespace(shared, .pid)?.path == "/proc/4711/ns/pid")
        let target = try spec {
            $0.config.linux.securityContext.namespaceOptions.pid = .target
            $0.targetPID = 99
        }
        #expect(namespace(target, .pid)?.path == "/proc/99/ns/pid")
    }

    @Test("command, arguments and the image's own fill in for each other as Kubernetes says")
    func arguments() throws {
        let cases: [(command: [String], args: [String], expected: [String])] = [
            ([], [], ["/entry", "a", "b"]), (["/c"], [], ["/c"]), ([], ["x"], ["/entry", "x"]),
            (["/c"], ["x"], ["/c", "x"]),
        ]
        for (command, args, expected) in cases {
            let spec = try spec {
                $0.config.command = command
                $0.config.args = args
                $0.image.entrypoint = ["/entry"]
                $0.image.cmd = ["a", "b"]
            }
            #expect(spec.process?.args == expected)
        }
        #expect(throws: CRIError(.invalidArgument, "no command: neither the config nor the image names one")) {
            try ContainerSpec.build(plainInput { $0.config.command = [] })
        }
    }

    @Test("the environment is the image's, ours and the config's, each name once")
    func environment() throws {
        let spec = try spec {
            $0.image.env = ["PATH=/image", "A=1", "B=2", "=odd", "noequals"]
            $0.config.envs = [
                CRIKeyValue.of("B", "3"), CRIKeyValue.of("EMPTY", ""), CRIKeyValue.of("HOME", "/x"),
            ]
            $0.config.tty = true
        }
        #expect(
            spec.process?.env
                == ["PATH=/image", "A=1", "B=3", "HOSTNAME=web", "TERM=xterm", "EMPTY=", "HOME=/x"])
        let plain = try self.spec()
        #expect(plain.process?.env.last == "HOME=/root")
    }

    @Test("hostile strings of an image are refused or made harmless")
    func hostileImage() throws {
        #expect(throws: CRIError.self) { try ContainerSpec.build(plainInput { $0.image.env = ["A=\0"] }) }
        #expect(throws: CRIError.self) { try ContainerSpec.build(plainInput { $0.image.workingDir = "/a\0b" }) }
        let spec = try spec { $0.image.workingDir = "../../../etc/./x" }
        #expect(spec.process?.cwd == "/etc/x")
    }

    @Test("an ordinary container has the fourteen capabilities, no inheritable ones, and masked places")
    func ordinarySecurity() throws {
        #expect(try spec().linux?.maskedPaths == [])
        let spec = try spec {
            $0.config.linux.securityContext.maskedPaths = ["/proc/kcore"]
            $0.config.linux.securityContext.readonlyPaths = ["/proc/sys"]
        }
        let capabilities = try #require(spec.process?.capabilities)
        #expect(capabilities.bounding.count == 14)
        #expect(capabilities.inheritable.isEmpty && capabilities.ambient.isEmpty)
        #expect(spec.linux?.maskedPaths == ["/proc/kcore"])
        #expect(spec.linux?.readonlyPaths == ["/proc/sys"])
        #expect(spec.linux?.seccomp == nil)
        #expect(spec.linux?.resources?.devices == [LinuxDeviceCgroup(allow: false, access: "rwm")])
        let cgroup = try #require(spec.mounts.first { $0.destination == "/sys/fs/cgroup" })
        #expect(cgroup.options.contains("ro"))
    }

    @Test("capabilities are added and dropped by name, with or without their prefix, and ALL means all")
    func capabilities() throws {
        func granted(_ add: [String], _ drop: [String]) throws -> Set<String> {
            var config = CRICapability()
            config.addCapabilities = add
            config.dropCapabilities = drop
            return Set(
                try Capabilities.plan(privileged: false, config: config, available: Set(Capabilities.all)).granted)
        }
        #expect(try granted(["net_admin"], ["CAP_CHOWN"]).contains("CAP_NET_ADMIN"))
        #expect(try !granted(["net_admin"], ["CAP_CHOWN"]).contains("CAP_CHOWN"))
        #expect(try granted([], ["ALL"]).isEmpty)
        #expect(try granted(["NET_BIND_SERVICE"], ["ALL"]) == ["CAP_NET_BIND_SERVICE"])
        #expect(try granted(["ALL"], ["SYS_ADMIN"]).count == Capabilities.all.count - 1)
        #expect(throws: CRIError(.invalidArgument, "capability \"FLY\": unknown")) { try granted(["FLY"], []) }
    }

    @Test("a privileged container has everything, in a privileged sandbox only")
    func privileged() throws {
        #expect(throws: CRIError.self) {
            try ContainerSpec.build(plainInput { $0.config.linux.securityContext.privileged = true })
        }
        let spec = try spec {
            $0.config.linux.securityContext.privileged = true
            $0.config.linux.securityContext.seccomp.profileType = .runtimeDefault
            $0.sandboxConfig.linux.securityContext.privileged = true
            $0.devices = [
                PreparedDevice(
                    path: "/dev/kvm", type: "c", major: 10, minor: 232, mode: 0o660, uid: 0, gid: 0, access: "rwm")
            ]
        }
        #expect(spec.process?.capabilities?.effective.count == Capabilities.all.count)
        #expect(spec.linux?.seccomp == nil && spec.linux?.maskedPaths.isEmpty == true)
        #expect(spec.linux?.resources?.devices == [LinuxDeviceCgroup(allow: true, access: "rwm")])
        #expect(spec.linux?.devices.map(\.path) == ["/dev/kvm"])
        #expect(spec.mounts.first { $0.destination == "/sys" }?.options.contains("rw") == true)
    }

    @Test("the config's mounts replace the pod's files, parents come before children")
    func mounts() throws {
        let spec = try spec {
            $0.mounts = [
                PreparedMount(
                    destination: "/a/b", source: "/host/ab", readonly: true, recursiveReadOnly: false,
                    propagation: .propagationPrivate),
                PreparedMount(
                    destination: "/a", source: "/host/a", readonly: false, recursiveReadOnly: false,
                    propagation: .propagationHostToContainer),
                PreparedMount(
                    destination: "/etc/hosts", source: "/kubelet/hosts", readonly: true, recursiveReadOnly: true,
                    propagation: .propagationPrivate),
            ]
            $0.volumes = [("/data", "/root/containers/x/volumes/0")]
        }
        let destinations = spec.mounts.map(\.destination)
        #expect(destinations.filter { $0 == "/etc/hosts" }.count == 1)
        let parent = try #require(destinations.firstIndex(of: "/a"))
        let child = try #require(destinations.firstIndex(of: "/a/b"))
        #expect(parent < child)
        #expect(spec.mounts[parent].options == ["rbind", "rslave", "rw"])
        #expect(spec.mounts[child].options == ["rbind", "rprivate", "ro"])
        #expect(spec.mounts.first { $0.destination == "/etc/hosts" }?.options == ["rbind", "rprivate", "rro"])
        #expect(spec.mounts.first { $0.destination == "/etc/hosts" }?.source == "/kubelet/hosts")
        #expect(destinations.contains("/etc/resolv.conf") && destinations.contains("/data"))
        #expect(spec.linux?.rootfsPropagation == "rslave")
    }

    @Test("a read-only root makes the pod's files read-only too")
    func readonlyRoot() throws {
        let spec = try spec { $0.config.linux.securityContext.readonlyRootfs = true }
        #expect(spec.root?.readonly == true)
        #expect(spec.mounts.first { $0.destination == "/etc/hosts" }?.options.contains("ro") == true)
        #expect(spec.mounts.first { $0.destination == "/dev/shm" }?.options.contains("rw") == true)
    }

    @Test("limits become the runtime's words; what isn't asked isn't there")
    func resources() throws {
        #expect(try spec().linux?.resources?.cpu == nil)
        let spec = try spec {
            $0.config.linux.resources.cpuShares = 512
            $0.config.linux.resources.cpuQuota = 50000
            $0.config.linux.resources.cpuPeriod = 100000
            $0.config.linux.resources.memoryLimitInBytes = 64 << 20
            $0.config.linux.resources.cpusetCpus = "0-1"
            $0.config.linux.resources.oomScoreAdj = -500
            $0.config.linux.resources.hugepageLimits = [
                CRIHugepageLimit.of("2MB", 0)
            ]
        }
        #expect(spec.linux?.resources?.cpu == LinuxCPU(shares: 512, quota: 50000, period: 100000, cpus: "0-1"))
        #expect(spec.linux?.resources?.memory == LinuxMemory(limit: 64 << 20, swap: 64 << 20))
        #expect(spec.linux?.resources?.hugepageLimits.isEmpty == true)
        // Without CAP_SYS_RESOURCE the value can't go below our own.
        #expect(spec.process?.oomScoreAdj == 0)
    }

    @Test("limits that no kernel takes are refused by name, before a container is made")
    func limitsThatCannotBe() throws {
        // Checked: without each of the bounds its lines here pass, and the container fails when it is started.
        var facts = plainFacts
        (facts.processors, facts.memoryNodes) = (4, 1)
        func refused(_ field: String, _ change: (inout CRILinuxContainerResources) -> Void) {
            var asked = CRILinuxContainerResources()
            change(&asked)
            do throws(CRIError) {
                _ = try Resources.plan(asked, facts: facts)
                Issue.record("\(asked) is taken")
            } catch {
                #expect(error.code == .invalidArgument && error.message.hasPrefix(field), "\(error.message)")
            }
        }
        refused("memory_limit_in_bytes") { $0.memoryLimitInBytes = -5 }
        refused("memory_swap_limit_in_bytes") { $0.memorySwapLimitInBytes = -2 }
        for memory: Int64 in [-1, 2 << 20] {
            refused("memory_swap_limit_in_bytes") {
                $0.memoryLimitInBytes = memory
                $0.memorySwapLimitInBytes = 1 << 20
            }
        }
        for period: Int64 in [-1, 1, 999, 1_000_001] { refused("cpu_period") { $0.cpuPeriod = period } }
        refused("cpu_quota") { $0.cpuQuota = 999 }
        refused("cpu_shares") { $0.cpuShares = -1 }
        for cpus in ["0;rm", "0-99999999", "4", "2-1", "0-", "-", ",", "1,,2", "99999999999999999999", "0-1-2", "\n"] {
            refused("cpuset_cpus") { $0.cpusetCpus = cpus }
        }
        refused("cpuset_mems") { $0.cpusetMems = "1" }
        var good = CRILinuxContainerResources()
        (good.memoryLimitInBytes, good.memorySwapLimitInBytes) = (1 << 20, -1)
        (good.cpuPeriod, good.cpuQuota, good.cpusetCpus, good.cpusetMems) = (1_000_000, -7, "0-2,3", "0")
        let plan = try Resources.plan(good, facts: facts)
        #expect(plan.cpu == LinuxCPU(quota: -1, period: 1_000_000, cpus: "0-2,3", mems: "0"))
        #expect(plan.memory == LinuxMemory(limit: 1 << 20, swap: -1))
        let here = HostFacts.observe(try CgroupHost.detect())
        #expect(here.processors >= 1 && here.processors < 1 << 20 && here.memoryNodes >= 1)
    }

    @Test("unified limits are file names of controllers and nothing else")
    func unified() throws {
        var facts = plainFacts
        facts.cgroupsV2 = true
        var asked = CRILinuxContainerResources()
        asked.unified = ["memory.high": "1000"]
        #expect(try Resources.plan(asked, facts: facts).unified == ["memory.high": "1000"])
        for name in ["../../x.y", "cgroup.procs", "memory/high", ".hidden", "plain"] {
            asked.unified = [name: "1"]
            #expect(throws: CRIError.self) { try Resources.plan(asked, facts: facts) }
        }
    }
}

extension CRIKeyValue {
    static func of(_ key: String, _ value: String) -> CRIKeyValue {
        var entry = CRIKeyValue()
        entry.key = key
        entry.value = .init(value.utf8)
        return entry
    }
}

extension CRIHugepageLimit {
    static func of(_ size: String, _ limit: UInt64) -> CRIHugepageLimit {
        var entry = CRIHugepageLimit()
        entry.pageSize = size
        entry.limit = limit
        return entry
    }
}
