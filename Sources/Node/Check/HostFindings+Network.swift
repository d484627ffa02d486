extension HostFindings {
    var network: [HostFinding] {
        var findings: [HostFinding] = []
        let missing = facts.neededPlugins.filter { !facts.plugins.contains($0) }
        let places = facts.pluginDirectories.joined(separator: ", ")
        if missing.isEmpty {
            findings.append(HostFinding("network plugins", .ok, facts.neededPlugins.joined(separator: ", ")))
        } else {
            findings.append(
                HostFinding(
                    "network plugins", .fail, "no \(missing.joined(separator: ", ")) in \(places)",
                    mend: "apt-get install containernetworking-plugins"))
        }
        if let error = facts.networkConfigurationError {
            findings.append(
                HostFinding("network configuration", .fail, error, mend: "mend the file, or move it away"))
        } else if let file = facts.networkConfiguration {
            findings.append(HostFinding("network configuration", .ok, file))
        } else {
            findings.append(HostFinding("network configuration", .ok, "none; the node makes its own bridge"))
        }
        findings += firewall
        switch facts.ipForward {
        case true?: findings.append(HostFinding("ip forwarding", .ok, "on"))
        case false?:
            // The bridge plugin turns it on with the first pod.
            findings.append(
                HostFinding(
                    "ip forwarding", .warn, "off until the first pod's network is made",
                    mend: "sysctl -w net.ipv4.ip_forward=1"))
        case nil:
            findings.append(
                HostFinding(
                    "ip forwarding", .fail, "net.ipv4.ip_forward can't be read", mend: "mount -t proc proc /proc"))
        }
        return findings
    }

    private var firewall: [HostFinding] {
        let install = "apt-get install iptables"
        var findings: [HostFinding] = []
        switch facts.iptables {
        case .missing:
            findings.append(
                HostFinding(
                    "iptables", .fail, "not found: pods would have no way out and no hostPort", mend: install))
        case .failed(let error):
            findings.append(
                HostFinding(
                    "iptables", .fail, error,
                    mend: "load the kernel's nat table (modprobe nf_nat iptable_nat), or switch between "
                        + "iptables-legacy and iptables-nft: update-alternatives --config iptables"))
        case .works(let version): findings.append(HostFinding("iptables", .ok, version))
        case .notTried: findings.append(HostFinding("iptables", .warn, "not tried", mend: "run the check as root"))
        }
        let drops = facts.forwardPolicyDrops
        switch (facts.bridgeCallsIptables, drops) {
        case (true?, true):
            findings.append(
                HostFinding(
                    "bridge filtering", .warn,
                    "bridged packets go through iptables, whose FORWARD policy is DROP: pods may not reach each other",
                    mend: "sysctl -w net.bridge.bridge-nf-call-iptables=0, or iptables -P FORWARD ACCEPT"))
        case (_, true):
            findings.append(
                HostFinding(
                    "forward policy", .warn, "iptables' FORWARD policy is DROP: pods may not reach other networks",
                    mend: "iptables -P FORWARD ACCEPT, or allow the pods' addresses"))
        default: break
        }
        return findings
    }

    var limits: [HostFinding] {
        var findings: [HostFinding] = []
        func limit(_ name: String, _ value: Int?, least: Int, sysctl: String, better: Int) {
            guard let value else {
                findings.append(HostFinding(name, .warn, "\(sysctl) can't be read", mend: "mount -t proc proc /proc"))
                return
            }
            findings.append(
                HostFinding(
                    name, value >= least ? .ok : .warn, "\(value)", mend: "sysctl -w \(sysctl)=\(better)"))
        }
        limit(
            "inotify instances", facts.inotifyInstances, least: 128, sysctl: "fs.inotify.max_user_instances",
            better: 1024
        )
        limit(
            "inotify watches", facts.inotifyWatches, least: 8192, sysctl: "fs.inotify.max_user_watches", better: 524_288
        )
        if let files = facts.openFiles {
            findings.append(
                HostFinding(
                    "open files", files >= 4096 ? .ok : .warn, "\(files)",
                    mend: "ulimit -Hn 65536, or LimitNOFILE=65536 in the unit: every pod costs the node some"))
        }
        return findings
    }

    var programs: [HostFinding] {
        facts.programs.map { program in
            switch program.problem {
            case nil: HostFinding(program.name, .ok, program.path)
            case let problem?:
                HostFinding(
                    program.name, .fail, problem, mend: "`make build` makes it, `make install` puts it beside kubesim")
            }
        }
    }
}
