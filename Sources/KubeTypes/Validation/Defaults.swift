extension Pod {
    /// The pod with every field filled in that upstream's API server and kubelet fill in.
    public func defaulted() -> Pod {
        var pod = self
        if pod.metadata.namespace.isEmpty { pod.metadata.namespace = "default" }
        if pod.spec.restartPolicy == .unset { pod.spec.restartPolicy = .always }
        if pod.spec.dnsPolicy == .unset { pod.spec.dnsPolicy = .clusterFirst }
        if pod.spec.terminationGracePeriodSeconds == nil { pod.spec.terminationGracePeriodSeconds = 30 }
        if pod.spec.securityContext == nil { pod.spec.securityContext = PodSecurityContext() }
        if pod.spec.schedulerName.isEmpty { pod.spec.schedulerName = "default-scheduler" }
        if pod.spec.enableServiceLinks == nil { pod.spec.enableServiceLinks = true }
        for index in pod.spec.volumes.indices { pod.spec.volumes[index].applyDefaults() }
        for index in pod.spec.containers.indices {
            pod.spec.containers[index].applyDefaults(hostNetwork: pod.spec.hostNetwork)
        }
        for index in pod.spec.initContainers.indices {
            pod.spec.initContainers[index].applyDefaults(hostNetwork: pod.spec.hostNetwork)
        }
        return pod
    }
}

extension Container {
    fileprivate mutating func applyDefaults(hostNetwork: Bool) {
        if imagePullPolicy == .unset { imagePullPolicy = Self.isLatest(image) ? .always : .ifNotPresent }
        if terminationMessagePath.isEmpty { terminationMessagePath = "/dev/termination-log" }
        if terminationMessagePolicy == .unset { terminationMessagePolicy = .file }
        for index in ports.indices {
            if ports[index].protocol == .unset { ports[index].protocol = .tcp }
            if hostNetwork, ports[index].hostPort == 0 { ports[index].hostPort = ports[index].containerPort }
        }
        for index in env.indices where env[index].valueFrom?.fieldRef?.apiVersion.isEmpty == true {
            env[index].valueFrom?.fieldRef?.apiVersion = "v1"
        }
        for (name, limit) in resources.limits where resources.requests[name] == nil { resources.requests[name] = limit }
        livenessProbe?.applyDefaults()
        readinessProbe?.applyDefaults()
        startupProbe?.applyDefaults()
        lifecycle?.postStart?.httpGet?.applyDefaults()
        lifecycle?.preStop?.httpGet?.applyDefaults()
    }

    /// Whether a reference means the tag `latest`: by name, or because it has neither tag nor digest.
    static func isLatest(_ image: String) -> Bool {
        let hasDigest = image.contains("@")
        let name = image.prefix { $0 != "@" }
        let last = name.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        guard let colon = last.lastIndex(of: ":") else { return !hasDigest }
        return last[last.index(after: colon)...] == "latest"
    }
}

extension Probe {
    fileprivate mutating func applyDefaults() {
        if timeoutSeconds == 0 { timeoutSeconds = 1 }
        if periodSeconds == 0 { periodSeconds = 10 }
        if successThreshold == 0 { successThreshold = 1 }
        if failureThreshold == 0 { failureThreshold = 3 }
        if grpc != nil, grpc?.service == nil { grpc?.service = "" }
        httpGet?.applyDefaults()
    }
}

extension HTTPGetAction {
    fileprivate mutating func applyDefaults() {
        if path.isEmpty { path = "/" }
        if scheme == .unset { scheme = .http }
    }
}

extension Volume {
    fileprivate mutating func applyDefaults() {
        if sourceCount == 0 { emptyDir = EmptyDirVolumeSource() }
        if hostPath != nil, hostPath?.type == nil { hostPath?.type = .unset }
        if configMap != nil, configMap?.defaultMode == nil { configMap?.defaultMode = 0o644 }
        if secret != nil, secret?.defaultMode == nil { secret?.defaultMode = 0o644 }
        if downwardAPI != nil, downwardAPI?.defaultMode == nil { downwardAPI?.defaultMode = 0o644 }
    }
}
