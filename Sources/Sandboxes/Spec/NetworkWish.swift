import CRI
import Glibc
import KubeTypes
import PodNetwork

/// What a sandbox's config asks of the network.
enum NetworkWish {
    /// The attachment that a config asks for.
    ///
    /// - Throws: `.invalidArgument` for ports, addresses and rates that make no sense.
    static func attachment(
        id: SandboxID, config: CRIPodSandboxConfig, netns: String
    ) throws(CRIError) -> Attachment {
        let metadata = config.metadata
        let pod = "\(metadata.namespace)/\(metadata.name)"
        var mappings: [PortMapping] = []
        for mapping in config.portMappings where mapping.hostPort != 0 {
            mappings.append(try portMapping(mapping, pod: pod))
        }
        var dns: PodDNS?
        if config.hasDnsConfig {
            dns = PodDNS(
                servers: config.dnsConfig.servers, searches: config.dnsConfig.searches,
                options: config.dnsConfig.options)
        }
        return Attachment(
            sandbox: id.text, netns: netns, podNamespace: metadata.namespace, podName: metadata.name,
            podUID: metadata.uid, portMappings: mappings, bandwidth: try bandwidth(config.annotations, pod: pod),
            dns: dns, annotations: config.annotations, cgroupParent: config.linux.cgroupParent)
    }

    /// The rates that the pod's annotations ask for, in bits a second, as the kubelet has always read them.
    static func bandwidth(_ annotations: [String: String], pod: String) throws(CRIError) -> Bandwidth? {
        func rate(_ direction: String) throws(CRIError) -> UInt64? {
            let key = "kubernetes.io/\(direction)-bandwidth"
            guard let text = annotations[key] else { return nil }
            let value: Int64
            do throws(QuantityError) {
                value = try Quantity(parsing: text).value
            } catch {
                throw CRIError(.invalidArgument, "pod \(pod): annotation \(key): \(error)")
            }
            guard (1_000...1_000_000_000_000_000).contains(value) else {
                throw CRIError(
                    .invalidArgument, "pod \(pod): annotation \(key): \(text) is not between 1k and 1P bits a second")
            }
            return UInt64(value)
        }
        let bandwidth = Bandwidth(ingress: try rate("ingress"), egress: try rate("egress"))
        return bandwidth == Bandwidth() ? nil : bandwidth
    }

    static func portMapping(_ asked: CRIPortMapping, pod: String) throws(CRIError) -> PortMapping {
        guard let host = UInt16(exactly: asked.hostPort), let container = UInt16(exactly: asked.containerPort),
            container != 0
        else {
            throw CRIError(
                .invalidArgument,
                "pod \(pod): port mapping \(asked.hostPort) to \(asked.containerPort): not ports (1…65535)")
        }
        let transport: PortMapping.TransportProtocol
        switch asked.protocol {
        case .tcp: transport = .tcp
        case .udp: transport = .udp
        case .sctp: transport = .sctp
        case .UNRECOGNIZED(let number):
            throw CRIError(.invalidArgument, "pod \(pod): protocol \(number) of a port mapping: unknown")
        }
        guard asked.hostIp.isEmpty || isAddress(asked.hostIp) else {
            throw CRIError(
                .invalidArgument, "pod \(pod): port mapping \(host): host address \"\(asked.hostIp)\" is no IP address")
        }
        return PortMapping(
            hostPort: host, containerPort: container, transport: transport,
            hostIP: asked.hostIp.isEmpty ? nil : asked.hostIp)
    }

    /// Of either family (inet_pton(3)).
    private static func isAddress(_ text: String) -> Bool {
        var binary = in6_addr()
        return inet_pton(AF_INET, text, &binary) == 1 || inet_pton(AF_INET6, text, &binary) == 1
    }
}
