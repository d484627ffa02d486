import KubeTypes

/// A port of the host that a pod takes for itself.
struct HostPort: Sendable, Hashable, CustomStringConvertible {
    var number: Int
    var transport: String
    /// Empty: on every address of the host.
    var address: String

    /// What a pod's containers ask for; init containers that end have theirs while nobody else runs.
    static func all(of pod: Pod) -> [HostPort] {
        (pod.spec.containers + pod.spec.initContainers.filter(\.isSidecar)).flatMap(\.ports).filter { $0.hostPort != 0 }
            .map { port in
                HostPort(
                    number: Int(port.hostPort), transport: port.protocol.rawValue,
                    address: ["0.0.0.0", "::"].contains(port.hostIP) ? "" : port.hostIP)
            }
    }

    /// Two pods can't have both, as the scheduler and the kubelet decide it (`HostPortInfo` of Kubernetes).
    func excludes(_ other: HostPort) -> Bool {
        number == other.number && transport == other.transport
            && (address.isEmpty || other.address.isEmpty || address == other.address)
    }

    var description: String { (address.isEmpty ? "" : address + ":") + "\(number)/\(transport)" }
}
