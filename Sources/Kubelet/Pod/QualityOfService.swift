import KubeTypes

extension Pod {
    /// The pod's quality of service, from the requests and limits of its containers, as upstream computes it.
    var qualityOfService: QOSClass {
        var requests: [String: Int128] = [:]
        var limits: [String: Int128] = [:]
        var isGuaranteed = true
        for container in allContainers {
            for (name, amount) in container.resources.requests where Self.counted.contains(name) && amount.nanos > 0 {
                requests[name, default: 0] += amount.nanos
            }
            var limited: Set<String> = []
            for (name, amount) in container.resources.limits where Self.counted.contains(name) && amount.nanos > 0 {
                limits[name, default: 0] += amount.nanos
                limited.insert(name)
            }
            if limited != Self.counted { isGuaranteed = false }
        }
        if requests.isEmpty && limits.isEmpty { return .bestEffort }
        let isEqual = requests.allSatisfy { limits[$0.key] == $0.value }
        return isGuaranteed && isEqual && requests.count == limits.count ? .guaranteed : .burstable
    }

    private static let counted: Set<String> = ["cpu", "memory"]
}
