import CRI
import OCISpec
import PodNetwork
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
            hostResolv: "nameserver 9.9.9.9\n")
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
        #expect(
            throws: CRIError(
                .unimplemented, "pod default/web: user namespaces (userns_options mode POD) are not done yet")
        ) {
            try plan { $0.linux.securityContext.namespaceOptions.usernsOptions.mode = .pod }
        }
    }

    @Test("sysctls are taken from an allow-list, without separators, and not for the host's namespaces")
    func sysctls() {
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
