import CRI
import Glibc
import Images
import Linux
import SwiftProtobuf
import TestKit
import Testing

@testable import Sandboxes

@Suite(
    "Pods with ids of their own", .serialized, .needs(.root, .overlayfs, .programs, .busybox, .cniPlugins))
struct UserNamespaceTests {
    static let first: UInt32 = 300_000

    private static let mappings = [
        CRIIDMapping.with {
            $0.hostID = first
            $0.length = 65536
        }
    ]

    private func ask(_ options: inout CRINamespaceOption) {
        options.usernsOptions.mode = .pod
        options.usernsOptions.uids = Self.mappings
        options.usernsOptions.gids = Self.mappings
    }

    /// The pod's root has to find its container's root below the fixture's private directory.
    private func opened(_ fixture: EngineFixture) {
        chmod(fixture.scratch.path, 0o711)
    }

    @Test("its root is nobody on the host, and owns the image, the pod's files and network, and id-mapped volumes")
    func pod() async throws {
        try await EngineFixture.use { fixture in
            opened(fixture)
            var pod = fixture.sandboxConfig("userns")
            ask(&pod.linux.securityContext.namespaceOptions)
            pod.linux.sysctls = ["net.ipv4.tcp_syncookies": "0", "kernel.shm_rmid_forced": "1"]
            let sandbox = try await fixture.run(pod)
            let volume = try fixture.scratch.directory("volume")
            try fixture.scratch.write("volume/roots", "host\n")

            var config = fixture.containerConfig("main", ["/bin/sleep", "1000"])
            ask(&config.linux.securityContext.namespaceOptions)
            config.mounts = [
                CRIMount.with {
                    $0.containerPath = "/mapped"
                    $0.hostPath = volume
                    $0.uidMappings = Self.mappings
                    $0.gidMappings = Self.mappings
                }
            ]
            let container = try await fixture.create(config, in: sandbox, of: pod)
            try await fixture.start(container)
            let answer = try await fixture.exec(
                container,
                [
                    "/bin/sh", "-c",
                    """
                    cat /proc/self/uid_map | tr -s ' '; stat -c '%u:%g' /bin/busybox /etc/hosts /mapped/roots /data/greeting
                    touch /made /mapped/made && echo x >> /etc/hosts && touch /data/new /dev/shm/new && echo written
                    cat /proc/sys/net/ipv4/tcp_syncookies /proc/sys/kernel/shm_rmid_forced
                    mount -t sysfs | head -1 | tr -s ' ' | head -c 5; echo; ip link set lo down && ip link set lo up && echo network
                    """,
                ])
            #expect(
                String(decoding: answer.stdout, as: UTF8.self)
                    == """
                     0 \(Self.first) 65536
                    0:0
                    0:0
                    0:0
                    0:0
                    written
                    0
                    1
                    sysfs

                    """, "\(String(decoding: answer.stderr, as: UTF8.self))")
            let pid = try await fixture.pid(container)
            let status = try File.readText("/proc/\(pid)/status")
            #expect(status.contains("Uid:\t\(Self.first)\t\(Self.first)\t"))
            // On the host the volume's files are those of the host's root, and the container's own layer is the pod's.
            #expect(try FileStatus(volume + "/made").uid == 0)
            #expect(
                try FileStatus(fixture.images.upperDirectory(container: container) + "/made").uid == Self.first)
            try await fixture.stopAndRemove(sandbox)
            #expect(MountTable.below(fixture.scratch.path).isEmpty)
        }
    }

    @Test("on the host's network it sees the host's /sys, read-only")
    func hostNetwork() async throws {
        try await EngineFixture.use { fixture in
            opened(fixture)
            var pod = fixture.sandboxConfig("usernshost")
            ask(&pod.linux.securityContext.namespaceOptions)
            pod.linux.securityContext.namespaceOptions.network = .node
            let sandbox = try await fixture.run(pod)
            var config = fixture.containerConfig(
                "main", ["/bin/sh", "-c", "ls /sys/class/net | grep -c lo; touch /sys/x 2>/dev/null || echo readonly"])
            ask(&config.linux.securityContext.namespaceOptions)
            config.linux.securityContext.namespaceOptions.network = .node
            let container = try await fixture.create(config, in: sandbox, of: pod)
            try await fixture.start(container)
            #expect(try await fixture.exited(container).exitCode == 0)
            let log = try fixture.log("usernshost", "main")
            #expect(log.contains(" 1\n") && log.contains(" readonly\n"), "\(log)")
            try await fixture.stopAndRemove(sandbox)
        }
    }

    @Test("a directory that its root can't come through is named, and a container can't leave its pod's ids")
    func refusals() async throws {
        try await EngineFixture.use { fixture in
            var pod = fixture.sandboxConfig("usernsno")
            ask(&pod.linux.securityContext.namespaceOptions)
            let closed = pod
            let early = await refusal { _ = try await fixture.run(closed) }
            #expect(early?.message.contains("can't come through \(fixture.scratch.path); chmod o+x") == true)
            opened(fixture)
            let sandbox = try await fixture.run(pod)
            let (config, asked) = (fixture.containerConfig("main", ["/bin/true"]), pod)
            let failure = await refusal { _ = try await fixture.create(config, in: sandbox, of: asked) }
            #expect(failure?.message.contains("userns_options: other than its pod's") == true)
            try await fixture.stopAndRemove(sandbox)
        }
    }
}
