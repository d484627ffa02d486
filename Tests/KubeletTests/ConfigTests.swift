import CRI
import KubeTypes
import Testing

@testable import Kubelet

@Suite("A pod in the CRI's words") struct ConfigTests {
    private func build(_ container: Container, _ change: (inout Pod) -> Void = { _ in }) -> CRIContainerConfig {
        ContainerConfig.build(
            container, of: Given.pod([container], change),
            ContainerConfig.Parts(
                attempt: 2, imageID: "sha256:1", imageUser: ImageUser(), environment: [("A", "1"), ("B", "2")],
                mounts: [], logPath: "app/2.log", nodeMemoryBytes: 16 << 30))
    }

    private func resources(cpu: String? = nil, memory: String? = nil) throws -> [String: Quantity] {
        var all: [String: Quantity] = [:]
        if let cpu { all["cpu"] = try Quantity(parsing: cpu) }
        if let memory { all["memory"] = try Quantity(parsing: memory) }
        return all
    }

    @Test func `requests and limits become shares, quota and limit`() throws {
        let requirements = ResourceRequirements(
            limits: try resources(cpu: "1500m", memory: "64Mi"), requests: try resources(cpu: "250m"))
        let config = build(Given.container("app") { $0.resources = requirements }).linux.resources
        #expect(config.cpuShares == 256)
        #expect(config.cpuPeriod == 100_000)
        #expect(config.cpuQuota == 150_000)
        #expect(config.memoryLimitInBytes == 64 << 20)
        #expect(ContainerResources(requestMillis: nil, limitMillis: 500, memoryLimitBytes: nil).cpuShares == 512)
        #expect(ContainerResources.shares(millis: 1) == 2)
        #expect(ContainerResources.shares(millis: .max / 4) <= 262_144)
        #expect(ContainerResources.quota(millis: 1) == 1000)
    }

    @Test func `the out-of-memory score follows the quality of service`() throws {
        let guaranteed = ResourceRequirements(
            limits: try resources(cpu: "1", memory: "1Gi"), requests: try resources(cpu: "1", memory: "1Gi"))
        let burstable = ResourceRequirements(requests: try resources(memory: "4Gi"))
        #expect(build(Given.container("app")).linux.resources.oomScoreAdj == 1000)
        #expect(build(Given.container("app") { $0.resources = guaranteed }).linux.resources.oomScoreAdj == -997)
        #expect(build(Given.container("app") { $0.resources = burstable }).linux.resources.oomScoreAdj == 750)
        let tiny = ResourceRequirements(requests: try resources(cpu: "1m"))
        #expect(build(Given.container("app") { $0.resources = tiny }).linux.resources.oomScoreAdj == 999)
    }

    @Test func `the pod's cgroup gets the sum, and a limit only when all have one`() throws {
        let limited = ResourceRequirements(limits: try resources(cpu: "500m", memory: "1Mi"))
        let free = ResourceRequirements(requests: try resources(cpu: "100m"))
        let both = Given.pod([
            Given.container("a") { $0.resources = limited }, Given.container("b") { $0.resources = limited },
        ])
        #expect(both.cgroupResources.cpuQuota == 100_000)
        #expect(both.cgroupResources.memoryLimitBytes == 2 << 20)
        let one = Given.pod([
            Given.container("a") { $0.resources = limited }, Given.container("b") { $0.resources = free },
        ])
        #expect(one.cgroupResources.cpuQuota == 0)
        #expect(one.cgroupResources.memoryLimitBytes == 0)
        #expect(one.cgroupResources.cpuShares == ContainerResources.shares(millis: 600))
        #expect(one.cgroupPath == "kubepods/burstable/poduid1")
        #expect(one.cgroupSlice == "kubepods-burstable-poduid1.slice")
    }

    @Test func `variables are expanded in commands and arguments`() {
        let config = build(
            Given.container("app") {
                $0.command = ["run", "$(A)-$(B)", "$$(A)", "$(C)", "$("]
                $0.args = ["$(B)"]
            })
        #expect(config.command == ["run", "1-2", "$(A)", "$(C)", "$("])
        #expect(config.args == ["2"])
        #expect(config.image.image == "sha256:1")
        #expect(config.image.userSpecifiedImage == "busybox")
    }

    @Test func `the environment knows earlier variables and the pod's fields`() throws {
        let container = Given.container("app") {
            $0.env = [
                EnvVar(name: "A", value: "x"), EnvVar(name: "B", value: "$(A)y $(LATER) $$(A)"),
                EnvVar(name: "LATER", value: "z"),
                EnvVar(name: "POD", valueFrom: EnvVarSource(fieldRef: ObjectFieldSelector(fieldPath: "metadata.name"))),
                EnvVar(name: "IP", valueFrom: EnvVarSource(fieldRef: ObjectFieldSelector(fieldPath: "status.podIP"))),
                EnvVar(
                    name: "L",
                    valueFrom: EnvVarSource(fieldRef: ObjectFieldSelector(fieldPath: "metadata.labels['app']"))),
                EnvVar(
                    name: "CPU",
                    valueFrom: EnvVarSource(resourceFieldRef: ResourceFieldSelector(resource: "limits.cpu"))),
                EnvVar(name: "A", value: "again"),
            ]
        }
        let pod = Given.pod([container]) { $0.metadata.labels["app"] = "web" }
        let built = try Environment.build(
            container, pod, Environment.Fields(podIPs: ["10.0.0.9"], nodeMillis: 3500))
        #expect(
            built.map { "\($0.name)=\($0.value)" } == [
                "A=again", "B=xy $(LATER) $(A)", "LATER=z", "POD=web-node", "IP=10.0.0.9", "L=web", "CPU=4",
            ])
    }

    @Test func `a variable from a secret is refused by name, an optional one left out`() throws {
        func container(optional: Bool) -> Container {
            Given.container("app") {
                $0.env = [
                    EnvVar(
                        name: "P",
                        valueFrom: EnvVarSource(
                            secretKeyRef: SecretKeySelector(name: "s", key: "k", optional: optional)))
                ]
            }
        }
        #expect(try Environment.build(container(optional: true), Given.pod(), Environment.Fields()).isEmpty)
        #expect(
            throws: Environment.Unresolved(description: "env P: secret \"s\" not found: there is no API server to ask")
        ) { _ = try Environment.build(container(optional: false), Given.pod(), Environment.Fields()) }
    }

    @Test func `security contexts are merged, the container's own wins`() {
        let config = build(
            Given.container("app") {
                $0.securityContext = SecurityContext(
                    allowPrivilegeEscalation: false, capabilities: Capabilities(add: ["NET_ADMIN"], drop: ["ALL"]),
                    readOnlyRootFilesystem: true, runAsUser: 7)
            }
        ) {
            $0.spec.securityContext = PodSecurityContext(
                fsGroup: 50, runAsGroup: 8, runAsUser: 1, seccompProfile: SeccompProfile(type: .runtimeDefault),
                supplementalGroups: [51])
            $0.spec.hostIPC = true
            $0.spec.shareProcessNamespace = true
        }.linux.securityContext
        #expect(config.runAsUser.value == 7)
        #expect(config.runAsGroup.value == 8)
        #expect(config.supplementalGroups == [50, 51])
        #expect(config.noNewPrivs)
        #expect(config.readonlyRootfs)
        #expect(config.capabilities.addCapabilities == ["NET_ADMIN"])
        #expect(config.capabilities.dropCapabilities == ["ALL"])
        #expect(config.seccomp.profileType == .runtimeDefault)
        #expect(config.maskedPaths.contains("/proc/kcore"))
        #expect(config.readonlyPaths.contains("/proc/sys"))
        #expect(config.namespaceOptions.ipc == .node)
        #expect(config.namespaceOptions.pid == .pod)
        #expect(config.namespaceOptions.network == .pod)
    }

    @Test func `a privileged container is masked nowhere and filtered by nothing`() {
        let config = build(
            Given.container("app") {
                $0.securityContext = SecurityContext(
                    privileged: true, seccompProfile: SeccompProfile(type: .runtimeDefault))
            }
        ).linux.securityContext
        #expect(config.privileged)
        #expect(config.maskedPaths.isEmpty && config.readonlyPaths.isEmpty)
        #expect(config.seccomp.profileType == .unconfined)
    }

    @Test(arguments: [
        (Int64?.none, Int64?.none, "", true), (1000, nil, "", false), (0, nil, "", true), (nil, 1000, "", false),
        (nil, 0, "", true), (nil, nil, "nobody", true),
    ]) func `runAsNonRoot is checked before the container is made`(
        asked: Int64?, image: Int64?, name: String, refused: Bool
    ) {
        let container = Given.container("app") {
            $0.securityContext = SecurityContext(runAsNonRoot: true, runAsUser: asked)
        }
        let violation = SecurityContexts.nonRootViolation(
            container, Given.pod([container]), image: ImageUser(uid: image, name: name))
        #expect((violation != nil) == refused)
    }

    @Test func `resolver settings follow the policy`() {
        let host = PodDNS(
            resolverFile: "# c\nnameserver 1.1.1.1\nnameserver 2.2.2.2\nsearch a.test. b.test\noptions ndots:2 rotate\n"
        )
        func dns(_ policy: DNSPolicy, cluster: [String] = [], _ change: (inout Pod) -> Void = { _ in }) -> PodDNS {
            let pod = Given.pod {
                $0.spec.dnsPolicy = policy
                change(&$0)
            }
            return PodDNS.plan(pod, host: host, clusterDNS: cluster, clusterDomain: "cluster.local")
        }
        #expect(dns(.default) == host)
        #expect(host.searches == ["a.test", "b.test"])
        #expect(dns(.clusterFirst) == host)
        let cluster = dns(.clusterFirst, cluster: ["10.96.0.10"])
        #expect(cluster.servers == ["10.96.0.10"])
        #expect(
            cluster.searches == ["default.svc.cluster.local", "svc.cluster.local", "cluster.local", "a.test", "b.test"])
        #expect(cluster.options == ["ndots:5"])
        #expect(dns(.clusterFirst, cluster: ["10.96.0.10"]) { $0.spec.hostNetwork = true } == host)
        let own = dns(.none) {
            $0.spec.dnsConfig = PodDNSConfig(
                nameservers: ["9.9.9.9"], options: [PodDNSConfigOption(name: "ndots", value: "1")], searches: ["x.test"]
            )
        }
        #expect(own.servers == ["9.9.9.9"] && own.searches == ["x.test"] && own.options == ["ndots:1"])
        let merged = dns(.default) {
            $0.spec.dnsConfig = PodDNSConfig(
                nameservers: ["2.2.2.2", "9.9.9.9", "8.8.8.8"],
                options: [PodDNSConfigOption(name: "ndots", value: "1")],
                searches: [])
        }
        #expect(merged.servers == ["1.1.1.1", "2.2.2.2", "9.9.9.9"])
        #expect(merged.options == ["rotate", "ndots:1"])
    }

    @Test func `the hosts file is laid out as upstream's`() {
        let text = HostsFile.managed(
            addresses: ["10.0.0.5"], hostname: "web", domain: "sub.default.svc.cluster.local",
            aliases: [HostAlias(ip: "1.2.3.4", hostnames: ["a", "b"])])
        #expect(text.hasPrefix("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n"))
        #expect(text.contains("10.0.0.5\tweb.sub.default.svc.cluster.local\tweb\n"))
        #expect(text.hasSuffix("\n# Entries added by HostAliases.\n1.2.3.4\ta\tb\n"))
        #expect(
            HostsFile.ofHost("127.0.0.1 x\n", aliases: [])
                == "# Kubernetes-managed hosts file (host network).\n127.0.0.1 x\n")
    }

    @Test func `the sandbox carries ports, sysctls and a hostname of at most 63 characters`() {
        let pod = Given.pod([
            Given.container("app") {
                $0.ports = [
                    ContainerPort(containerPort: 80, hostIP: "127.0.0.1", hostPort: 8080, protocol: .udp),
                    ContainerPort(containerPort: 81),
                ]
            }
        ]) {
            $0.metadata.name = String(repeating: "a", count: 62) + "-bcd"
            $0.spec.securityContext = PodSecurityContext(sysctls: [Sysctl(name: "net.ipv4.tcp_syncookies", value: "1")])
        }
        func config(_ pod: Pod) -> CRIPodSandboxConfig {
            SandboxConfig.build(
                pod, attempt: 1, dns: PodDNS(resolverFile: ""), logDirectory: "/logs", cgroupParent: "/kubepods")
        }
        let built = config(pod)
        #expect(built.portMappings.count == 1)
        #expect(built.portMappings.first?.hostIp == "127.0.0.1")
        #expect(built.portMappings.first?.protocol == .udp)
        #expect(built.hostname == String(repeating: "a", count: 62))
        #expect(built.linux.sysctls == ["net.ipv4.tcp_syncookies": "1"])
        #expect(built.linux.securityContext.seccomp.profileType == .runtimeDefault)
        var onHost = pod
        onHost.spec.hostNetwork = true
        #expect(config(onHost).portMappings.isEmpty)
        #expect(config(onHost).hostname.isEmpty)
    }

    @Test func `a definition's hash is the same for the same words and tells others apart`() {
        let one = Given.container("app") { $0.env = [EnvVar(name: "A", value: "1")] }
        var other = one
        #expect(one.definitionHash == other.definitionHash)
        other.env[0].value = "2"
        #expect(one.definitionHash != other.definitionHash)
        var explicit = one
        explicit.securityContext = SecurityContext(allowPrivilegeEscalation: false)
        #expect(explicit.definitionHash != one.definitionHash)
        var resources = one
        resources.resources.limits = ["cpu": Quantity(1), "memory": Quantity(bytes: 5)]
        #expect(Set((0..<8).map { _ in resources.definitionHash }).count == 1)
        #expect(FNV.hash128(Array("".utf8)).hexadecimal == "6c62272e07bb014262b821756295c58d")
        #expect(FNV.hash64(Array("a".utf8)).hexadecimal == "af63dc4c8601ec8c")
    }
}
