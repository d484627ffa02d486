import Images
import CRI
import Linux
import SwiftProtobuf
import TestKit
import Testing

@testable import Sandboxes

@Suite(
    "What configs ask for, in real containers", .serialized, .needs(.root, .overlayfs, .programs, .busybox, .cniPlugins)
)
struct PodOptionsTests {
    /// Runs a command as a container to its end and returns what it printed.
    private func output(
        _ fixture: EngineFixture, _ sandbox: String, _ pod: CRIPodSandboxConfig, _ name: String, _ script: String,
        _ change: (inout CRIContainerConfig) -> Void = { _ in }
    ) async throws -> String {
        var config = fixture.containerConfig(name, ["/bin/sh", "-c", script])
        change(&config)
        let container = try await fixture.create(config, in: sandbox, of: pod)
        try await fixture.start(container)
        let end = try await fixture.exited(container)
        let log = try fixture.log(pod.metadata.name, name)
        let text = log.split(separator: "\n").map { line in
            String(line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false).last ?? "")
        }.joined(separator: "\n")
        #expect(end.exitCode == 0, "\(name): \(text)")
        return text
    }

    @Test("users, groups, files of the pod, volumes of the image and limits are as asked")
    func options() async throws {
        try await EngineFixture.use { fixture in
            var pod = fixture.sandboxConfig("options")
            pod.dnsConfig.servers = ["192.0.2.53"]
            pod.dnsConfig.searches = ["example.test"]
            pod.linux.sysctls = ["net.ipv4.tcp_syncookies": "0", "kernel.shm_rmid_forced": "1"]
            let sandbox = try await fixture.run(pod)

            let plain = try await output(
                fixture, sandbox, pod, "plain",
                """
                id -u; id -G; cat /data/greeting; pwd; hostname; cat /etc/hostname; cat /etc/resolv.conf; \
                cat /proc/sys/net/ipv4/tcp_syncookies /proc/sys/kernel/shm_rmid_forced; echo $FROM_IMAGE; \
                grep -c . /etc/hosts >/dev/null && echo hosts; grep Seccomp: /proc/self/status
                """)
            #expect(
                plain.replacing("\t", with: " ")
                    == """
                    0
                    0
                    from the image
                    /tmp
                    options
                    options
                    search example.test
                    nameserver 192.0.2.53
                    0
                    1
                    yes
                    hosts
                    Seccomp: 0
                    """)

            let alice = try await output(
                fixture, sandbox, pod, "alice",
                "id -u; id -g; id -G; echo $HOME; grep -E 'NoNewPrivs|Seccomp:|CapBnd' /proc/self/status"
            ) {
                $0.linux.securityContext.runAsUsername = "alice"
                $0.linux.securityContext.supplementalGroups = [77]
                $0.linux.securityContext.noNewPrivs = true
                $0.linux.securityContext.seccomp.profileType = .runtimeDefault
                $0.linux.securityContext.capabilities.dropCapabilities = ["ALL"]
            }
            #expect(
                alice.replacing("\t", with: " ")
                    == """
                    1000
                    1001
                    1001 77 600 50000
                    /home/alice
                    CapBnd: 0000000000000000
                    NoNewPrivs: 1
                    Seccomp: 2
                    """)

            let strict = try await output(fixture, sandbox, pod, "strict", "id -G") {
                $0.linux.securityContext.runAsUser.value = 1000
                $0.linux.securityContext.supplementalGroups = [77]
                $0.linux.securityContext.supplementalGroupsPolicy = .strict
            }
            #expect(strict == "1001 77")

            let limits = try await output(
                fixture, sandbox, pod, "limits",
                """
                cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max
                touch /here 2>/dev/null && echo writable || echo readonly
                touch /data/new && echo volume
                """
            ) {
                $0.linux.resources.memoryLimitInBytes = 64 << 20
                $0.linux.securityContext.readonlyRootfs = true
            }
            #expect(limits == "\(64 << 20)\nreadonly\nvolume")
            try await fixture.stopAndRemove(sandbox)
        }
    }

    @Test("mounts are made, also of host paths that are missing, and read-only ones stay so")
    func mounts() async throws {
        try await EngineFixture.use { fixture in
            let pod = fixture.sandboxConfig("mounts")
            let sandbox = try await fixture.run(pod)
            let missing = fixture.scratch.file("not/there/yet")
            let file = try fixture.scratch.write("one-file", "content\n")
            let text = try await output(
                fixture, sandbox, pod, "mounts",
                """
                cat /one; echo w >> /one && echo written || echo kept; echo x > /dir/made; \
                cat /evil 2>/dev/null || echo nothing
                """
            ) {
                $0.mounts = [
                    CRIMount.with {
                        $0.containerPath = "/one"
                        $0.hostPath = file
                        $0.readonly = true
                        $0.recursiveReadOnly = true
                    },
                    CRIMount.with {
                        $0.containerPath = "/dir"
                        $0.hostPath = missing
                    },
                ]
            }
            #expect(text.hasPrefix("content\n") && text.contains("kept") && !text.contains("written"))
            #expect(try File.readText(missing + "/made") == "x\n")
            #expect(try File.readText(file) == "content\n")
            try await fixture.stopAndRemove(sandbox)
        }
    }

    @Test("a CDI device is there with its variables and mounts, and can be used")
    func cdi() async throws {
        try await EngineFixture.use { fixture in
            let pod = fixture.sandboxConfig("cdi")
            let sandbox = try await fixture.run(pod)
            _ = try fixture.scratch.directory("cdi")
            let file = try fixture.scratch.write("library", "library\n")
            try fixture.scratch.write(
                "cdi/vendor.yaml",
                """
                cdiVersion: "0.6.0"
                kind: vendor.com/random
                containerEdits:
                  env: [VENDOR=yes]
                devices:
                - name: first
                  containerEdits:
                    deviceNodes:
                    - {path: /dev/first, type: c, major: 10, minor: 229, fileMode: 0o666, permissions: r}
                    mounts:
                    - {hostPath: \(file), containerPath: /lib/vendor, options: [ro]}
                """)
            let text = try await output(
                fixture, sandbox, pod, "main",
                "echo $VENDOR; cat /lib/vendor; for way in '<' '>>'; do eval \"(: $way /dev/first)\" 2>&1 | grep -c 'not permitted'; done"
            ) {
                $0.annotations = ["cdi.k8s.io/test": "vendor.com/random=first"]
            }
            #expect(text == "yes\nlibrary\n0\n1")
            var missing = fixture.containerConfig("missing", ["/bin/true"])
            missing.cdiDevices = [CRICDIDevice.with { $0.name = "vendor.com/random=second" }]
            let asked = missing
            let failure = await refusal { _ = try await fixture.create(asked, in: sandbox, of: pod) }
            #expect(failure?.message.contains("CDI device \"vendor.com/random=second\": no file describes it") == true)
            try await fixture.stopAndRemove(sandbox)
        }
    }

    @Test("what a container mounts below a bidirectional mount is seen on the host, below others it isn't")
    func propagation() async throws {
        // Checked: with its copy made where the host's mounts are masters already, nothing came back.
        try await EngineFixture.use { fixture in
            let shared = try fixture.scratch.directory("shared")
            try Linux.Mount.mount(source: "shared", target: shared, type: "tmpfs")
            try Linux.Mount.mount(source: nil, target: shared, flags: [.shared])
            for name in ["both", "slave", "private"] { _ = try fixture.scratch.directory("shared/\(name)/in") }
            var pod = fixture.sandboxConfig("propagation")
            pod.linux.securityContext.privileged = true
            let sandbox = try await fixture.run(pod)
            let kinds: [(String, CRIMountPropagation)] = [
                ("both", .propagationBidirectional), ("slave", .propagationHostToContainer),
                ("private", .propagationPrivate),
            ]
            _ = try await output(
                fixture, sandbox, pod, "main",
                "for name in both slave private; do mount -t tmpfs none /$name/in && touch /$name/in/file; done"
            ) {
                $0.linux.securityContext.privileged = true
                $0.mounts = kinds.map { name, propagation in
                    CRIMount.with {
                        $0.containerPath = "/" + name
                        $0.hostPath = "\(shared)/\(name)"
                        $0.propagation = propagation
                    }
                }
            }
            #expect(File.exists(shared + "/both/in/file"))
            #expect(!File.exists(shared + "/slave/in/file") && !File.exists(shared + "/private/in/file"))
            try await fixture.stopAndRemove(sandbox)
            #expect(File.exists(shared + "/both/in/file"))
        }
    }

    @Test("containers of one pod share memory, names and addresses, and processes when asked")
    func sharing() async throws {
        try await EngineFixture.use { fixture in
            var pod = fixture.sandboxConfig("sharing")
            pod.linux.securityContext.namespaceOptions.pid = .pod
            let sandbox = try await fixture.run(pod)
            var first = fixture.containerConfig(
                "first", ["/bin/sh", "-c", "echo shared > /dev/shm/note; exec sleep 1234"])
            first.linux.securityContext.namespaceOptions.pid = .pod
            let running = try await fixture.create(first, in: sandbox, of: pod)
            try await fixture.start(running)
            try await eventually("the note is written") {
                try await fixture.exec(running, ["/bin/cat", "/dev/shm/note"]).exitCode == 0
            }
            let seen = try await output(
                fixture, sandbox, pod, "second",
                "cat /dev/shm/note; ps | grep -c 'sleep 123[4]'; readlink /proc/1/exe >/dev/null; ps | grep -c /pause"
            ) {
                $0.linux.securityContext.namespaceOptions.pid = .pod
            }
            #expect(seen.hasPrefix("shared\n1\n"))
            // The first process of a container in a shared pid namespace is not its init: the rest is killed with it.
            _ = try await fixture.engine.stopContainer(CRIStopContainerRequest.with { $0.containerID = running })
            #expect(try await fixture.status(running).exitCode == 137)
            try await fixture.stopAndRemove(sandbox)
        }
    }

    @Test("a pod on the host's network sees the host's interfaces and name")
    func hostNetwork() async throws {
        try await EngineFixture.use { fixture in
            var pod = fixture.sandboxConfig("hostnet")
            pod.linux.securityContext.namespaceOptions.network = .node
            let sandbox = try await fixture.run(pod)
            let text = try await output(fixture, sandbox, pod, "main", "hostname; readlink /proc/self/ns/net") {
                $0.linux.securityContext.namespaceOptions.network = .node
            }
            let own = try File.readLink("/proc/self/ns/net")
            #expect(text == "\(HostFacts.currentHostname())\n\(own)")
            let status = try await fixture.engine.podSandboxStatus(
                CRIPodSandboxStatusRequest.with { $0.podSandboxID = sandbox })
            #expect(status.status.network.ip.isEmpty)
            try await fixture.stopAndRemove(sandbox)
        }
    }

    @Test("a volume path that leads out of the image leads nowhere")
    func hostileVolume() async throws {
        // Checked: with plain paths below the root's, /escape held the host's files.
        try await EngineFixture.use { fixture in
            let tarball = try await TestImage.busybox(
                in: fixture.scratch, volumes: #""/../../../etc/ssh": {}, "/escape": {}"#,
                name: "localhost/hostile:latest"
            ) { root in
                try File.symlink("/etc", root + "/escape")
            }
            _ = try await fixture.images.load(tarball: tarball)
            let pod = fixture.sandboxConfig("hostile")
            let sandbox = try await fixture.run(pod)
            let text = try await output(
                fixture, sandbox, pod, "main", "ls /escape/ | grep -c debian_version; cat /escape/passwd | head -1"
            ) {
                $0.image.image = "localhost/hostile:latest"
            }
            // The image's own /etc/passwd, not the host's.
            #expect(text.hasPrefix("0\nroot:x:0:0:root:/root:/bin/sh"))
            try await fixture.stopAndRemove(sandbox)
        }
    }

    @Test("a volume path whose links lead round in a circle is refused by name")
    func circularVolume() async throws {
        try await EngineFixture.use { fixture in
            let tarball = try await TestImage.busybox(
                in: fixture.scratch, volumes: #""/loop/x": {}"#, name: "localhost/circle:latest"
            ) { root in
                try File.symlink("/loop", root + "/loop")
            }
            _ = try await fixture.images.load(tarball: tarball)
            let pod = fixture.sandboxConfig("circle")
            let sandbox = try await fixture.run(pod)
            var config = fixture.containerConfig("main", ["/bin/true"])
            config.image.image = "localhost/circle:latest"
            let asked = config
            let failure = await refusal { _ = try await fixture.create(asked, in: sandbox, of: pod) }
            #expect(failure?.message.contains("volume at /loop/x, where its symbolic links lead round") == true)
            try await fixture.stopAndRemove(sandbox)
        }
    }
}
