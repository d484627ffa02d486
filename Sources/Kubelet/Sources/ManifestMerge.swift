import KubeTypes

/// A pod that a manifest asks for, with its identity on this node.
struct WishedPod: Sendable, Hashable {
    var pod: Pod
    var file: String
    var notDone: [String]
    var warnings: [String]
}

/// What all manifests together ask for. Pure.
struct ManifestMerge: Sendable, Hashable {
    private(set) var pods: [WishedPod] = []
    private(set) var refusals: [ManifestRefusal] = []

    /// - Parameters:
    ///   - owners: which file each pod has come from so far, by `namespace/name`; of two files that name one pod, the
    ///     one that had it first keeps it
    ///   - seen: when a pod was first seen, by uid
    init(_ files: [ManifestFile], nodeName: String, owners: [String: String] = [:], seen: (String) -> WallTime) {
        var names: [String: String] = [:]
        var uids: [String: String] = [:]
        let owning = Set(owners.values)
        let ordered = files.sorted {
            (owning.contains($0.path) ? 0 : 1, $0.path) < (owning.contains($1.path) ? 0 : 1, $1.path)
        }
        for file in ordered {
            var reasons = file.reasons
            var wished: [WishedPod] = []
            for parsed in file.pods where reasons.isEmpty {
                var pod = StaticPod.identify(
                    parsed, file: file.path, nodeName: nodeName, seen: WallTime(nanoseconds: 0))
                pod = StaticPod.identify(parsed, file: file.path, nodeName: nodeName, seen: seen(pod.metadata.uid))
                reasons += Self.violations(pod, parsed).map { "line \(parsed.line): \($0)" }
                if let other = names[pod.fullName] ?? uids[pod.metadata.uid]
                    ?? (wished.contains { $0.pod.fullName == pod.fullName || $0.pod.metadata.uid == pod.metadata.uid }
                        ? file.path : nil)
                {
                    reasons.append(
                        "line \(parsed.line): pod \(parsed.pod.metadata.namespace)/\(parsed.pod.metadata.name) is "
                            + "already defined in \(other)")
                }
                wished.append(
                    WishedPod(
                        pod: pod, file: file.path, notDone: parsed.notDone.map(\.description),
                        warnings: parsed.warnings))
            }
            guard reasons.isEmpty else {
                refusals.append(ManifestRefusal(file: file.path, reasons: reasons))
                continue
            }
            for wish in wished {
                names[wish.pod.fullName] = file.path
                uids[wish.pod.metadata.uid] = file.path
            }
            pods += wished
        }
        pods.sort { $0.pod.fullName < $1.pod.fullName }
        refusals.sort { $0.file < $1.file }
    }

    /// Kernel parameters that a pod may set because the kernel keeps them by namespace (upstream's safe sysctls).
    static let safeSysctls: Set<String> = [
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
    ]

    /// What only the node can judge.
    private static func violations(_ pod: Pod, _ parsed: ParsedPod) -> [String] {
        var violations: [String] = []
        let uid = pod.metadata.uid
        let isPlain = uid.utf8.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "-")
        }
        // It becomes a directory's and a cgroup's name.
        if !isPlain || uid.utf8.count > 128 {
            violations.append("metadata.uid: \"\(uid)\": must be at most 128 letters, digits and '-'")
        }
        if pod.metadata.name.utf8.count > 253 {
            violations.append(
                "metadata.name: \"\(pod.metadata.name)\", with the node's name, is longer than 253 characters")
        }
        for sysctl in pod.spec.securityContext?.sysctls ?? [] {
            let name = String(sysctl.name.map { $0 == "/" ? "." : $0 })
            let isOfHost =
                name.hasPrefix("net.") ? pod.spec.hostNetwork : name.hasPrefix("kernel.") && pod.spec.hostIPC
            if !safeSysctls.contains(name) {
                violations.append(
                    "spec.securityContext.sysctls: \(name) is not a safe sysctl and this node allows no other")
            } else if isOfHost {
                violations.append(
                    "spec.securityContext.sysctls: \(name) would be the host's, whose namespace the pod shares")
            }
        }
        return violations
    }
}
