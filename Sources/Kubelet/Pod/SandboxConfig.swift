import CRI
import KubeTypes
import SwiftProtobuf

/// A pod in the words of RunPodSandbox. Pure.
enum SandboxConfig {
    static func build(
        _ pod: Pod, attempt: UInt32, dns: PodDNS, logDirectory: String, cgroupParent: String
    ) -> CRIPodSandboxConfig {
        var config = CRIPodSandboxConfig()
        config.metadata = CRIPodSandboxMetadata.with {
            $0.name = pod.metadata.name
            $0.namespace = pod.metadata.namespace
            $0.uid = pod.metadata.uid
            $0.attempt = attempt
        }
        config.labels = pod.metadata.labels
        config.labels[KubeletLabels.podName] = pod.metadata.name
        config.labels[KubeletLabels.podNamespace] = pod.metadata.namespace
        config.labels[KubeletLabels.podUID] = pod.metadata.uid
        config.annotations = pod.metadata.annotations
        config.logDirectory = logDirectory
        config.dnsConfig = dns.cri
        if !pod.spec.hostNetwork {
            config.hostname = pod.hostname
            config.portMappings = portMappings(pod)
        }
        config.linux = CRILinuxPodSandboxConfig.with {
            $0.cgroupParent = cgroupParent
            $0.securityContext = SecurityContexts.sandbox(pod)
            for sysctl in pod.spec.securityContext?.sysctls ?? [] { $0.sysctls[sysctl.name] = sysctl.value }
            $0.resources = pod.cgroupResources.cri
        }
        return config
    }

    private static func portMappings(_ pod: Pod) -> [CRIPortMapping] {
        let containers = pod.spec.initContainers.filter(\.isSidecar) + pod.spec.containers
        return containers.flatMap(\.ports).filter { $0.hostPort > 0 }.map { port in
            CRIPortMapping.with {
                $0.containerPort = Int32(truncatingIfNeeded: port.containerPort)
                $0.hostPort = Int32(truncatingIfNeeded: port.hostPort)
                $0.hostIp = port.hostIP
                switch port.protocol {
                case .udp: $0.protocol = .udp
                case .sctp: $0.protocol = .sctp
                default: $0.protocol = .tcp
                }
            }
        }
    }
}

extension Pod {
    /// What the pod calls itself: at most the 63 characters that the kernel's callers bear.
    var hostname: String {
        let full = spec.hostnameOverride ?? (spec.hostname.isEmpty ? metadata.name : spec.hostname)
        return full.utf8.count <= 63 ? full : String(full.prefix(63)).trimmed("-.")
    }

    /// The domain of a pod with a subdomain.
    func domain(of cluster: String) -> String {
        spec.subdomain.isEmpty || spec.hostnameOverride != nil
            ? "" : "\(spec.subdomain).\(metadata.namespace).svc.\(cluster)"
    }
}
