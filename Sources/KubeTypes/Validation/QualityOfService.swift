extension Pod {
    /// The class that follows from requests and limits (upstream: pkg/apis/core/v1/helper/qos).
    public var qosClass: QOSClass {
        let containers = spec.containers + spec.initContainers
        var anything = false
        var guaranteed = !containers.isEmpty
        for container in containers {
            for name in ["cpu", "memory"] {
                let limit = container.resources.limits[name] ?? Quantity()
                let request = container.resources.requests[name] ?? limit
                if limit > Quantity() || request > Quantity() { anything = true }
                if limit <= Quantity() || request != limit { guaranteed = false }
            }
        }
        if !anything { return .bestEffort }
        return guaranteed ? .guaranteed : .burstable
    }
}
