import Cgroups
import Glibc
import KubeTypes
import TestKit
import Testing

@testable import Kubelet

@Suite("Pod cgroups") struct CgroupTests {
    @Test(.needs(.root)) func `a pod's cgroup has its limits and goes with whatever runs in it`() async throws {
        try await Scratch.use { scratch in
            let host = try CgroupHost.detect()
            let root = "/kubelet-test-\(getpid())"
            scratch.atEnd {
                // The test's own parents; the pod's cgroup is what it is about.
                for name in ["/kubepods/burstable", "/kubepods", ""] {
                    try? await offPool { try Cgroup(path: root + name, host: host).remove() }
                }
            }
            let cgroups = try NodeCgroups(root: root, makes: true, isSystemd: false)
            let pod = Given.pod([
                Given.container("app") {
                    $0.resources = ResourceRequirements(
                        limits: ["cpu": Quantity(milli: 500), "memory": Quantity(bytes: 64 << 20)],
                        requests: ["cpu": Quantity(milli: 250)])
                }
            ])
            #expect(cgroups.parent(of: pod) == root + "/kubepods/burstable/poduid1")
            try cgroups.make(pod)
            try cgroups.make(pod)
            let cgroup = try Cgroup(path: cgroups.parent(of: pod), host: host)
            #expect(cgroup.exists)
            #expect(cgroup.stats().memory?.limitBytes == 64 << 20)
            let sink = open("/dev/null", O_RDWR)
            defer { close(sink) }
            let child = try Command(["sleep", "1000"]).start(output: sink, errors: sink)
            try cgroup.addProcess(child)
            // Somebody has to reap it, or the cgroup stays busy with a zombie.
            async let code = offPool { Command.wait(for: child) }
            try await cgroups.remove(uid: "uid1")
            #expect(!cgroup.exists)
            #expect(try await code == 128 + SIGKILL)
            try await cgroups.remove(uid: "uid1")
        }
    }

    @Test func `under systemd the runtime makes the slice`() async throws {
        let cgroups = try NodeCgroups(root: "/", makes: true, isSystemd: true)
        #expect(cgroups.parent(of: Given.pod()) == "kubepods-besteffort-poduid1.slice")
        try cgroups.make(Given.pod())
        try await cgroups.remove(uid: "uid1")
    }
}
