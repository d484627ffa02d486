import Cgroups
import Glibc
import JSON
import Linux
import OCISpec
import TestKit
import Testing

@Suite("The container's cgroup", .needs(.root, .programs, .busybox))
struct CgroupTests {
    @Test("Limits are set, and the container sees only its own cgroup, read-only")
    func setsLimits() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.linux {
                $0.resources?.memory = LinuxMemory(limit: 64 << 20)
                $0.resources?.pids = LinuxPids(limit: 77)
            }
            let v1 = try CgroupHost.detect().mode != .v2
            let script =
                v1
                ? "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max"
                : "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max"
            #expect(try await bundle.output(of: script) == "67108864\n77\n")
            let groups = try await bundle.output(of: "cat /proc/self/cgroup")
            #expect(groups.split(separator: "\n").allSatisfy { $0.hasSuffix(":/") }, "\(groups)")
        }
    }

    @Test("The container's root can't write the cgroups, nor see another's", arguments: [true, false])
    func protectsCgroups(ownNamespace: Bool) async throws {
        // CVE-2023-25809. Checked: without the read-only attribute the folder is made.
        try await TestBundle.use { bundle in
            bundle.spec.mounts.removeAll { $0.destination == "/sys/fs/cgroup" }
            bundle.spec.mounts.append(OCISpec.Mount(destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup"))
            if !ownNamespace { bundle.spec.linux { $0.namespaces.removeAll { $0.type == .cgroup } } }
            let top = try CgroupHost.detect().mode != .v2 ? "/sys/fs/cgroup/pids" : "/sys/fs/cgroup"
            #expect(try await bundle.output(of: "mkdir \(top)/x 2>&1 | grep -c Read-only") == "1\n")
            #expect(try await bundle.output(of: "ls -d \(top)/*/ 2>/dev/null | wc -l") == "0\n")
        }
    }

    @Test("A delegated cgroup can be written")
    func delegates() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.mounts.removeAll { $0.destination == "/sys/fs/cgroup" }
            bundle.spec.mounts.append(
                OCISpec.Mount(destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["rw"]))
            let path = try CgroupHost.detect().mode != .v2 ? "/sys/fs/cgroup/pids/x" : "/sys/fs/cgroup/x"
            #expect(try await bundle.output(of: "mkdir \(path) && rm -d \(path) 2>/dev/null; echo done") == "done\n")
        }
    }

    @Test("Nothing of the runtime is charged: /bin/true runs with 1 MiB")
    func chargesNothing() async throws {
        // Checked: when InitStage joins the cgroup before it mounts, the copied file is too much.
        try await TestBundle.use { bundle in
            _ = try bundle.scratch.directory("bundle/rootfs/data")
            try bundle.scratch.write("bundle/rootfs/data/file", String(repeating: "x", count: 4 << 20))
            bundle.spec.mounts.append(
                OCISpec.Mount(destination: "/data", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]))
            bundle.spec.linux { $0.resources?.memory = LinuxMemory(limit: 1 << 20) }
            bundle.spec.process?.args = ["/bin/true"]
            let outcome = try await bundle.run()
            #expect(outcome.code == 0, "\(outcome.errors)")
            try await bundle.startSleeper()
            for _ in 0..<3 { #expect(try await bundle.oci("exec", bundle.id, "/bin/true").code == 0) }
        }
    }

    @Test("The list of devices holds: what isn't allowed can't be opened")
    func restrictsDevices() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.linux { $0.devices = [LinuxDevice(path: "/dev/kmsg", type: "c", major: 1, minor: 11)] }
            let output = try await bundle.output(
                of: "cat /dev/kmsg 2>&1 | grep -c 'not permitted'; cat /dev/null && echo ok")
            #expect(output == "1\nok\n")
        }
    }

    @Test("A limit that the kernel refuses is named, and nothing is left")
    func namesRefusedLimits() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.linux { $0.resources?.cpu = LinuxCPU(cpus: "9999") }
            try await bundle.expectFailure("linux.resources.cpu.cpus")
        }
    }
}
