import CRI
import OCISpec
import PodNetwork
import SwiftProtobuf
import Testing

@testable import Sandboxes

@Suite("A sandbox's plan")
struct SandboxPlanTests {
    private let places: Places = {
        var configuration = EngineConfiguration(
            root: "/r", state: "/s", runtimePath: "/oci", shimPath: "/shim", pausePath: "/pause")
        configuration.cgroupRoot = "/two"
        return Places(configuration)
    }()

    private func config(_ change: (inout CRIPodSandboxConfig) -> Void = { _ in }) -> CRIPodSandboxConfig {
        var config = CRIPodSandboxConfig()
        config.metadata.name = "web"
        config.metadata.namespace = "default"
        config.metadata.uid = "u1"
        config.hostname = "web"
        config.linux.cgroupParent = "/kubepods/burstable/podu1"
        change(&config)
        return config
    }

    private func plan(_ change: (inout CRIPodSandboxConfig) -> Void = { _ in }) throws -> SandboxPlan {
        try SandboxPlan.make(
            id: SandboxID(), config: config(change), places: places, facts: plainFacts, hostHosts: "127.0.0.1 host",
            hostResolv: "nameserver 9.9.9.9\n", features: plainFeatures)
    }

    @Test("an ordinary pod gets a network namespace named after it, addresses, shared memory and its own files")
    func ordinary() throws {
        let plan = try plan {
            $0.portMappings = [mapping(host: 8080, container: 80), mapping(host: 0, container: 81)]
        }
        #expect(plan.netns == "/run/netns/kubesim-\(plan.id.short)")
        #expect(plan.attachment?.portMappings == [PortMapping(hostPort: 8080, containerPort: 80)])
        #expect(plan.makesShm)
        #expect(plan.hostsText == "127.0.0.1 host\n")
        #expect(plan.resolvText == "nameserver 9.9.9.9\n")
        let spec = try SandboxSpec.build(plan.spec)
        #expect(spec.validate().isEmpty)
        #expect(spec.hostname == "web")
        #expect(spec.linux?.cgroupsPath == "/two/kubepods/burstable/podu1/\(plan.id.text)")
        #expect(spec.linux?.sysctl["net.ipv4.ip_unprivileged_port_start"] == "0")
        #expect(spec.process?.capabilities == LinuxCapabilities())
    }

    @Test("a pod on the host's network has the host's name and no namespace, address or sysctl of its own")
    func hostNetwork() throws {
        let plan = try plan { $0.linux.securityContext.namespaceOptions.network = .node }
        #expect(plan.netns == nil && plan.attachment == nil && plan.hostname == "node")
        let spec = try SandboxSpec.build(plan.spec)
        #expect(spec.hostname == nil && spec.linux?.sysctl.isEmpty == true)
        #expect(spec.linux?.namespaces.contains { $0.type == .network || $0.type == .uts } == false)
    }

    @Test("dns_config becomes resolv.conf, and a line break in it is refused")
    func dns() throws {
        let plan = try plan {
            $0.dnsConfig.servers = ["10.0.0.10"]
            $0.dnsConfig.searches = ["a.b", "c"]
            $0.dnsConfig.options = ["ndots:5"]
        }
        #expect(plan.resolvText == "search a.b c\nnameserver 10.0.0.10\noptions ndots:5\n")
        #expect(throws: CRIError.self) { try self.plan { $0.dnsConfig.servers = ["1.1.1.1\nnameserver 6.6.6.6"] } }
    }

    @Test("what can't be carried out is refused by name")
    func refusals() {
        let bad: [(inout CRIPodSandboxConfig) -> Void] = [
            { $0.metadata.name = "" }, { $0.metadata.uid = "" }, { $0.hostname = "a\nb" },
            { $0.hostname = String(repeating: "h", count: 65) }, { $0.logDirectory = "relative" },
            { $0.linux.cgroupParent = "/a/../../b" }, { $0.portMappings = [mapping(host: 70000, container: 80)] },
            { $0.portMappings = [mapping(host: 80, container: -1)] },
        ]
        for (index, change) in bad.enumerated() {
            #expect(throws: CRIError.self, "case \(index)") { try plan(change) }
        }
    }

    @Test("numbers that stand for no word are refused by field") func unknownWords() {
        func message(_ change: (inout CRIContainerConfig) -> Void) -> String? {
            var config = CRIContainerConfig()
            change(&config)
            let failure = #expect(throws: CRIError.self) { try UnknownWords.refuse(in: config, of: "container c") }
            return failure.map { "\($0.code) \($0.message)" }
        }
        let pid = message { $0.linux.securityContext.namespaceOptions.pid = .UNRECOGNIZED(99) }
        #expect(pid == "invalidArgument container c: namespace_options.pid 99: unknown")
        #expect(
            message { $0.stopSignal = .UNRECOGNIZED(9999) } == "invalidArgument container c: stop_signal 9999: unknown")
        let mount = message {
            $0.mounts = [.with { ($0.containerPath, $0.propagation) = ("/m", .UNRECOGNIZED(7)) }]
        }
        #expect(mount == "invalidArgument container c: mount on /m: propagation 7: unknown")
        #expect(StopSignal.number(.UNRECOGNIZED(9999)) == nil)
        for (field, change) in [
            (
                "namespace_options.ipc 77: unknown",
                { $0.linux.securityContext.namespaceOptions.ipc = .UNRECOGNIZED(77) }
            ),
            ("metadata.name has 5000 bytes", { $0.metadata.name = String(repeating: "n", count: 5000) }),
            ("hostname has control characters", { $0.hostname = "a\nb" }),
        ] as [(String, (inout CRIPodSandboxConfig) -> Void)] {
            let failure = #expect(throws: CRIError.self) { _ = try plan(change) }
            #expect(failure?.message.contains(field) == true, "\(failure?.message ?? "")")
        }
    }

    @Test("a user namespace needs ids, and an OCI runtime that can map them")
    func userNamespace() throws {
        func asked(_ ranges: [(UInt32, UInt32, UInt32)]) -> (inout CRIPodSandboxConfig) -> Void {
            { config in
                let mappings = ranges.map { inside, outside, length in
                    CRIIDMapping.with {
                        $0.containerID = inside
                        $0.hostID = outside
                        $0.length = length
                    }
                }
                config.linux.securityContext.namespaceOptions.usernsOptions.mode = .pod
                config.linux.securityContext.namespaceOptions.usernsOptions.uids = mappings
                config.linux.securityContext.namespaceOptions.usernsOptions.gids = mappings
            }
        }
        let plan = try plan(asked([(0, 100_000, 65536)]))
        #expect(plan.idMappings?.root.uid == 100_000)
        let spec = try SandboxSpec.build(plan.spec)
        #expect(spec.validate().isEmpty)
        #expect(spec.linux?.uidMappings == [LinuxIDMapping(containerID: 0, hostID: 100_000, size: 65536)])
        #expect(
            spec.linux?.namespaces.first { $0.type == .user }?.path == "/s/sandboxes/\(plan.id.text)/userns")

        for bad in [
            [], [(1, 1000, 100_000)], [(0, 1000, 0)], [(0, UInt32.max, 2)], [(0, 1000, 10), (5, 9000, 10)],
            [(0, 1000, 10), (10, 1005, 10)],
        ] as [[(UInt32, UInt32, UInt32)]] {
            #expect(throws: CRIError.self, "\(bad)") { try self.plan(asked(bad)) }
        }
        #expect(throws: CRIError.self) {
            try self.plan {
                asked([(0, 1000, 10)])(&$0)
                $0.linux.securityContext.namespaceOptions.usernsOptions.mode = .node
            }
        }
        let refused = #expect(throws: CRIError.self) {
            try SandboxPlan.make(
                id: SandboxID(), config: config(asked([(0, 1000, 10)])), places: places, facts: plainFacts,
                hostHosts: nil, hostResolv: nil, handler: RuntimeHandler(path: "/bin/old"), features: RuntimeFeatures())
        }
        #expect(refused?.code == .failedPrecondition && refused?.message.contains("/bin/old") == true)
    }

    @Test("with systemd a pod's cgroup is a scope in its slice, which lies in those that its name says")
    func slices() throws {
        var configuration = EngineConfiguration(
            root: "/r", state: "/s", runtimePath: "/oci", shimPath: "/shim", pausePath: "/pause",
            cgroupDriver: .systemd)
        configuration.cgroupRoot = "/"
        let places = Places(configuration)
        let parent = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podu1.slice"
        #expect(try places.cgroup(parent: parent, id: "x") == parent + "/kubesim-x.scope")
        #expect(try places.ociCgroup(parent: parent, id: "x") == "kubepods-burstable-podu1.slice:kubesim:x")
        #expect(try places.cgroup(parent: "kubepods.slice", id: "x") == "/kubepods.slice/kubesim-x.scope")
        #expect(try places.cgroup(parent: "", id: "x") == "/system.slice/kubesim-x.scope")
        for bad in ["/kubepods/podu1", "a--b.slice", "-a.slice", ".slice", "a b.slice", "a-.slice"] {
            #expect(throws: CRIError.self, "\(bad)") { try places.cgroup(parent: bad, id: "x") }
        }
    }

    @Test(
        "pause's spec tells other runtimes of the pod's size, its logs, and the annotations that its handler lets through"
    )
    func annotations() throws {
        let made = try SandboxPlan.make(
            id: SandboxID(),
            config: config {
                $0.logDirectory = "/logs"
                $0.linux.resources.cpuQuota = 5000
                $0.linux.resources.memoryLimitInBytes = 1 << 20
                $0.annotations = ["vendor.io/a": "1", "vendor.io/b": "2", "other": "3", "exact": "4"]
            }, places: places, facts: plainFacts, hostHosts: nil, hostResolv: nil,
            handler: RuntimeHandler(path: "/oci", podAnnotations: ["vendor.io/*", "exact"]), features: plainFeatures)
        let annotations = try SandboxSpec.build(made.spec).annotations
        #expect(annotations["vendor.io/a"] == "1" && annotations["vendor.io/b"] == "2" && annotations["exact"] == "4")
        #expect(annotations["other"] == nil)
        #expect(annotations["io.kubernetes.cri.sandbox-cpu-quota"] == "5000")
        #expect(annotations["io.kubernetes.cri.sandbox-memory"] == String(1 << 20))
        #expect(annotations["io.kubernetes.cri.sandbox-log-directory"] == "/logs")
    }

    @Test("sysctls are taken from an allow-list, without separators, and not for the host's namespaces")
    func sysctls() {
        // Checked: without the list kernel.core_pattern could be set, without the characters a second one in a value.
        func refused(_ name: String, _ value: String = "1", network: Bool = false, ipc: Bool = false) -> Bool {
            Sysctls.refusal(name: name, value: value, hostNetwork: network, hostIPC: ipc) != nil
        }
        #expect(!refused("net.ipv4.tcp_syncookies") && !refused("net/ipv4/tcp_syncookies") && !refused("kernel.shmmax"))
        #expect(!refused("fs.mqueue.msg_max"))
        #expect(refused("kernel.core_pattern", "|/bin/evil") && refused("vm.swappiness") && refused("kernel.hostname"))
        #expect(refused("net.ipv4.ip_forward", "1+kernel.core_pattern=|/x"))
        #expect(
            refused("net.ipv4.ip_forward", "1\n") && refused("net.ipv4..x") && refused("net/../kernel/core_pattern"))
        #expect(refused("net.a/../b") && refused("net") && refused("net.ipv4.x y"))
        #expect(refused("net.ipv4.ip_forward", network: true) && refused("kernel.sem", ipc: true))
        #expect(Sysctls.canonical("net/ipv4/conf/eth0.1/x") == "net.ipv4.conf.eth0/1.x")
    }

    private func mapping(host: Int32, container: Int32) -> CRIPortMapping {
        var mapping = CRIPortMapping()
        mapping.hostPort = host
        mapping.containerPort = container
        return mapping
    }
}
