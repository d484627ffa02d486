import Node
import Testing

@Suite struct CheckFindingsTests {
    /// A host where everything is well.
    private static var good: HostObservation {
        var facts = HostObservation()
        facts.kernelRelease = "6.1.0-18-amd64"
        for call in HostObservation.Call.allCases { facts.calls[call] = .works }
        facts.hasSeccompFilters = true
        facts.maxUserNamespaces = 15_000
        facts.dataRoot = "/var/lib/kubesim"
        facts.dataFilesystem = "ext4"
        facts.overlay = .works
        facts.availableBytes = 50 << 30
        facts.totalBytes = 100 << 30
        facts.freeInodes = 1_000_000
        facts.cgroupMode = "v2"
        facts.cgroupControllers = Set(HostObservation.controllers)
        facts.pluginDirectories = ["/opt/cni/bin", "/usr/lib/cni"]
        facts.neededPlugins = ["bridge", "host-local", "portmap"]
        facts.plugins = ["bridge", "host-local", "portmap", "loopback"]
        facts.iptables = .works("iptables v1.8.9 (nf_tables)")
        facts.ipForward = true
        facts.inotifyInstances = 128
        facts.inotifyWatches = 65_536
        facts.openFiles = 1_048_576
        facts.programs = ["kubesim-oci", "kubesim-shim", "pause"].map { .init(name: $0, path: "/usr/local/bin/\($0)") }
        return facts
    }

    private func judge(_ change: (inout HostObservation) -> Void) -> [HostFinding] {
        var facts = Self.good
        change(&facts)
        return HostFindings.judge(facts).filter { $0.level != .ok }
    }

    @Test func `a good host has nothing to mend`() {
        let findings = HostFindings.judge(Self.good)
        #expect(findings.allSatisfy { $0.level == .ok && $0.mend == nil })
        #expect(CheckReport(findings: findings).fit)
    }

    @Test func `who isn't root is told so`() {
        let findings = judge { $0.user = 1000 }
        #expect(findings.map(\.check) == ["root"])
        #expect(findings.first?.level == .fail)
        #expect(findings.first?.found == "running as user 1000")
    }

    @Test func `a missing capability fails only where nothing works without it`() {
        #expect(judge { $0.missingCapabilities = ["SYS_RESOURCE"] }.map(\.level) == [.warn])
        let findings = judge { $0.missingCapabilities = ["SYS_ADMIN", "SYS_RESOURCE"] }
        #expect(findings.map(\.level) == [.fail])
        #expect(findings.first?.found == "root without CAP_SYS_ADMIN, CAP_SYS_RESOURCE")
    }

    @Test(arguments: [
        ("5.4.0", HostFinding.Level.fail), ("5.6.19", .fail), ("5.10.0-28-amd64", .warn), ("5.12", .ok),
        ("6.18.44-fc-v595", .ok),
        ("10.0", .ok), ("", .fail),
    ])
    func `the kernel's age is judged`(release: String, level: HostFinding.Level) {
        var facts = Self.good
        facts.kernelRelease = release
        #expect(HostFindings.judge(facts).first { $0.check == "kernel" }?.level == level)
    }

    @Test func `a system call that fails is told with its reason`() {
        let old = judge { $0.calls[.openat2] = .failed("open proc: Function not implemented (ENOSYS)") }
        #expect(old.map(\.check) == ["system call openat2"])
        #expect(old.first?.mend?.contains("newer kernel") == true)
        let filtered = judge { $0.calls[.clone3] = .failed("clone3: Operation not permitted (EPERM)") }
        #expect(filtered.first?.mend?.contains("seccomp filter") == true)
        #expect(judge { $0.calls[.fsopen] = nil }.map(\.level) == [.warn])
    }

    @Test func `a disk without overlayfs or room is named`() {
        let findings = judge {
            $0.overlay = .failed("mount overlay on /x: Invalid argument (EINVAL)")
            $0.availableBytes = 100 << 20
            $0.freeInodes = 10
        }
        #expect(findings.map(\.check) == ["overlayfs", "disk space", "inodes"])
        #expect(findings.allSatisfy { $0.level == .fail })
        #expect(findings[1].found == "100 MiB free of 100 GiB at /var/lib/kubesim")
        #expect(judge { $0.availableBytes = 1 << 30 }.map(\.level) == [.warn])
        #expect(judge { $0.freeInodes = nil }.isEmpty)
    }

    @Test func `missing controllers are named with what brings them back`() {
        let findings = judge { $0.cgroupControllers = ["cpu", "cpuset"] }
        #expect(findings.map(\.check) == ["cgroup memory", "cgroup pids"])
        #expect(findings.first?.mend?.contains("cgroup.subtree_control") == true)
        let old = judge {
            $0.cgroupMode = "v1"
            $0.cgroupControllers = ["cpu", "memory", "pids", "devices", "freezer"]
        }
        #expect(old.map(\.level) == [.warn])
        #expect(old.first?.mend?.contains("mount -t cgroup -o cpuset") == true)
        let none = judge {
            $0.cgroupMode = nil
            $0.cgroupError = "no cgroup filesystem is mounted"
        }
        #expect(none.map(\.found) == ["no cgroup filesystem is mounted"])
    }

    @Test func `the network's needs are named`() {
        let findings = judge {
            $0.plugins = ["bridge"]
            $0.iptables = .missing
            $0.ipForward = false
        }
        #expect(findings.map(\.check) == ["network plugins", "iptables", "ip forwarding"])
        #expect(findings.map(\.level) == [.fail, .fail, .warn])
        #expect(findings[0].found == "no host-local, portmap in /opt/cni/bin, /usr/lib/cni")
        #expect(findings[0].mend == "apt-get install containernetworking-plugins")
        let filtered = judge {
            $0.bridgeCallsIptables = true
            $0.forwardPolicyDrops = true
        }
        #expect(filtered.map(\.check) == ["bridge filtering"])
        #expect(judge { $0.bridgeCallsIptables = true }.isEmpty)
        #expect(judge { $0.forwardPolicyDrops = true }.map(\.check) == ["forward policy"])
    }

    @Test func `small limits and missing programs are named`() {
        let findings = judge {
            $0.inotifyInstances = 10
            $0.openFiles = 1024
            $0.programs[1].problem = "not in /usr/local/bin"
        }
        #expect(findings.map(\.check) == ["inotify instances", "open files", "kubesim-shim"])
        #expect(findings.map(\.level) == [.warn, .warn, .fail])
    }

    @Test func `the report is a table, JSON or YAML`() throws {
        let report = CheckReport(findings: [
            HostFinding("kernel", .ok, "6.1.0"),
            HostFinding("iptables", .fail, "not found", mend: "apt-get install iptables"),
        ])
        #expect(
            try report.text(.table) == """
                CHECK      STATE   FOUND
                kernel     ok      6.1.0
                iptables   FAIL    not found
                                   → apt-get install iptables

                This host is not fit: 1 to mend.

                """)
        #expect(
            try report.text(.json) == """
                {
                  "findings" : [
                    {
                      "check" : "kernel",
                      "found" : "6.1.0",
                      "level" : "ok"
                    },
                    {
                      "check" : "iptables",
                      "found" : "not found",
                      "level" : "fail",
                      "mend" : "apt-get install iptables"
                    }
                  ],
                  "fit" : false
                }

                """)
        #expect(try report.text(.yaml).hasPrefix("fit: false\nfindings:\n- check: kernel\n  level: ok\n"))
    }
}
