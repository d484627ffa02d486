/// How fit the host is in one respect.
package struct HostFinding: Sendable, Hashable, Codable {
    /// `fail` keeps a node from working; `warn` takes something from it.
    package enum Level: String, Sendable, Codable, CaseIterable {
        case ok, warn, fail
    }

    /// What was looked at.
    package var check: String
    package var level: Level
    /// What was found.
    package var found: String
    /// What to do about it; nil when there is nothing to mend.
    package var mend: String?

    package init(_ check: String, _ level: Level, _ found: String, mend: String? = nil) {
        self.check = check
        self.level = level
        self.found = found
        self.mend = level == .ok ? nil : mend
    }
}

/// Judges what was observed of a host: pure, so that every host that we don't have is tested too.
package struct HostFindings {
    let facts: HostObservation

    /// Every finding in the order in which it is shown.
    package static func judge(_ facts: HostObservation) -> [HostFinding] {
        let findings = HostFindings(facts: facts)
        return findings.privileges + findings.kernel + findings.filesystem + findings.cgroups + findings.network
            + findings.limits + findings.programs
    }

    private var privileges: [HostFinding] {
        guard facts.user == 0 else {
            return [
                HostFinding(
                    "root", .fail, "running as user \(facts.user)",
                    mend: "run it as root: namespaces, mounts and cgroups need it")
            ]
        }
        let missing = facts.missingCapabilities
        if missing.isEmpty { return [HostFinding("root", .ok, "root with all capabilities that a node needs")] }
        let needed = Set(missing).intersection(Self.indispensable)
        let names = missing.map { "CAP_\($0)" }.joined(separator: ", ")
        return [
            HostFinding(
                "root", needed.isEmpty ? .warn : .fail, "root without \(names)",
                mend: needed.isEmpty
                    ? "without \(names) limits can't be raised and an oom_score_adj can't be lowered; it is clamped"
                    : "give the container or service that this runs in \(names)")
        ]
    }

    /// Capabilities without which no container starts.
    private static let indispensable: Set<String> = [
        "SYS_ADMIN", "NET_ADMIN", "MKNOD", "CHOWN", "SETUID", "SETGID", "DAC_OVERRIDE", "KILL", "SETPCAP", "FOWNER",
    ]

    private var kernel: [HostFinding] {
        var findings: [HostFinding] = []
        let numbers = facts.kernelRelease.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        let version = (numbers.first ?? 0, numbers.dropFirst().first ?? 0)
        let upgrade = "boot a newer kernel; Debian 12's 6.1 has everything"
        if version < (5, 7) {
            findings.append(HostFinding("kernel", .fail, "\(facts.kernelRelease), older than 5.7", mend: upgrade))
        } else if version < (5, 12) {
            findings.append(
                HostFinding(
                    "kernel", .warn, "\(facts.kernelRelease): recursive read-only mounts need 5.12", mend: upgrade))
        } else {
            findings.append(HostFinding("kernel", .ok, facts.kernelRelease))
        }
        for call in HostObservation.Call.allCases {
            let name = "system call \(call.rawValue)"
            switch facts.calls[call] {
            case .works?: findings.append(HostFinding(name, .ok, "works"))
            case .failed(let error)?:
                let mend =
                    error.contains("ENOSYS")
                    ? upgrade : "a seccomp filter or a container around this forbids it: lift it"
                findings.append(HostFinding(name, .fail, error, mend: mend))
            case nil: findings.append(HostFinding(name, .warn, "not tried", mend: "run the check as root"))
            }
        }
        findings.append(
            facts.hasSeccompFilters
                ? HostFinding("seccomp", .ok, "filters work")
                : HostFinding(
                    "seccomp", .fail, "the kernel has no filters", mend: "boot a kernel with CONFIG_SECCOMP_FILTER=y"))
        let missing = facts.missingNamespaces
        findings.append(
            missing.isEmpty
                ? HostFinding("namespaces", .ok, "all kinds")
                : HostFinding(
                    "namespaces", missing == ["user"] || missing == ["time"] ? .warn : .fail,
                    "the kernel has no \(missing.joined(separator: ", ")) namespaces",
                    mend: "boot a kernel that has them; without user namespaces `hostUsers: false` can't work"))
        if let limit = facts.maxUserNamespaces, limit == 0, !missing.contains("user") {
            findings.append(
                HostFinding(
                    "user namespaces", .warn, "none may be made (user.max_user_namespaces = 0)",
                    mend: "sysctl -w user.max_user_namespaces=15000"))
        }
        return findings
    }

    private var filesystem: [HostFinding] {
        var findings: [HostFinding] = []
        switch facts.overlay {
        case .works:
            findings.append(HostFinding("overlayfs", .ok, "mounts on \(facts.dataRoot) (\(facts.dataFilesystem))"))
        case .failed(let error):
            findings.append(
                HostFinding(
                    "overlayfs", .fail, "\(facts.dataRoot) (\(facts.dataFilesystem)): \(error)",
                    mend:
                        "modprobe overlay; and put the data on ext4 or xfs (with ftype=1): `--root DIR` on such a disk")
            )
        case nil:
            findings.append(HostFinding("overlayfs", .warn, "not tried", mend: "run the check as root"))
        }
        let space = "\(Self.size(facts.availableBytes)) free of \(Self.size(facts.totalBytes)) at \(facts.dataRoot)"
        let mend = "make room, or put the data on another disk with --root DIR"
        let share = facts.totalBytes > 0 ? Double(facts.availableBytes) / Double(facts.totalBytes) : 0
        if facts.availableBytes < 256 << 20 {
            findings.append(HostFinding("disk space", .fail, space, mend: mend))
        } else if facts.availableBytes < 2 << 30 || share < 0.1 {
            findings.append(HostFinding("disk space", .warn, space, mend: mend))
        } else {
            findings.append(HostFinding("disk space", .ok, space))
        }
        if let free = facts.freeInodes, free < 10_000 {
            findings.append(
                HostFinding("inodes", free < 1000 ? .fail : .warn, "\(free) left at \(facts.dataRoot)", mend: mend))
        }
        return findings
    }

    private var cgroups: [HostFinding] {
        guard let mode = facts.cgroupMode else {
            return [
                HostFinding(
                    "cgroups", .fail, facts.cgroupError ?? "none mounted",
                    mend: "mount -t cgroup2 none /sys/fs/cgroup")
            ]
        }
        var findings = [HostFinding("cgroups", .ok, Self.modeWords[mode] ?? mode)]
        let wanted = HostObservation.controllers + (mode == "v2" ? [] : HostObservation.version1Controllers)
        for controller in wanted where !facts.cgroupControllers.contains(controller) {
            let needed = ["cpu", "memory", "pids"].contains(controller)
            findings.append(
                HostFinding(
                    "cgroup \(controller)", needed ? .fail : .warn, "the controller is missing",
                    mend: mode == "v2"
                        ? "echo +\(controller) > /sys/fs/cgroup/cgroup.subtree_control, or boot with cgroup_enable=\(controller)"
                        : "mount -t cgroup -o \(controller) none /sys/fs/cgroup/\(controller), or boot with "
                            + "cgroup_enable=\(controller)"))
        }
        let found = wanted.filter { facts.cgroupControllers.contains($0) }
        if !found.isEmpty {
            findings.append(HostFinding("cgroup controllers", .ok, found.joined(separator: ", ")))
        }
        return findings
    }

    private static let modeWords = [
        "v1": "version 1", "v2": "version 2", "hybrid": "version 1 with version 2 beside it",
    ]

    private static func size(_ bytes: UInt64) -> String {
        let gibibytes = Double(bytes) / Double(1 << 30)
        if gibibytes >= 10 { return "\(Int(gibibytes)) GiB" }
        if gibibytes >= 1 { return "\(Double(Int(gibibytes * 10)) / 10) GiB" }
        return "\(bytes >> 20) MiB"
    }
}
