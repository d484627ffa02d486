import KubeTypes

/// What makes a manifest's pod this node's: upstream's `applyDefaults` for a file source.
enum StaticPod {
    /// Names the pod `name-node`, gives it a uid from its content, its node and its file, and the annotations
    /// `kubernetes.io/config.{source,hash,seen}`.
    ///
    /// The uid doesn't depend on comments or layout: the same content written again is the same pod.
    static func identify(_ parsed: ParsedPod, file: String, nodeName: String, seen: WallTime) -> Pod {
        var pod = parsed.pod
        if pod.metadata.uid.isEmpty {
            let content = parsed.content.isEmpty ? StableText(parsed.pod).bytes : Array(parsed.content.utf8)
            pod.metadata.uid = FNV.hash128(content + Array("host:\(nodeName)file:\(file)".utf8)).hexadecimal
        }
        pod.metadata.name = "\(pod.metadata.name)-\(nodeName.lowercased())"
        if pod.metadata.namespace.isEmpty { pod.metadata.namespace = "default" }
        pod.spec.nodeName = nodeName
        pod.metadata.annotations[KubeletLabels.configHash] = pod.metadata.uid
        pod.metadata.annotations[KubeletLabels.configSource] = "file"
        pod.metadata.annotations[KubeletLabels.configSeen] = seen.rfc3339
        let tolerated = Toleration(effect: "NoExecute", operator: "Exists")
        if !pod.spec.tolerations.contains(tolerated) { pod.spec.tolerations.append(tolerated) }
        pod.metadata.creationTimestamp = pod.metadata.creationTimestamp ?? seen.time
        pod.status.phase = .pending
        return pod
    }
}

extension WallTime {
    /// To the second.
    var time: Time { Time(nanosecondsSinceEpoch: nanoseconds) }

    /// RFC 3339 with nanoseconds, in UTC.
    var rfc3339: String {
        let fraction = ((nanoseconds % 1_000_000_000) + 1_000_000_000) % 1_000_000_000
        let digits = "\(fraction)"
        return time.description.dropLast() + "." + String(repeating: "0", count: 9 - digits.count) + digits + "Z"
    }
}

extension Pod {
    /// `namespace/name`, as people write it.
    var fullName: String { "\(metadata.namespace)/\(metadata.name)" }

    /// `NAMESPACE_NAME_UID`, the name of its log directory.
    var logDirectoryName: String { "\(metadata.namespace)_\(metadata.name)_\(metadata.uid)" }

    /// Every container, the init containers first.
    var allContainers: [Container] { spec.initContainers + spec.containers }
}
