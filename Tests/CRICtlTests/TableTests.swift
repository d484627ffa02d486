import CRI
import TestKit
import Testing

@testable import CRICtl

@Suite("crictl's tables", .serialized)
struct TableTests {
    static let containerID = "1f73f2d81bf98e1f2f3f4f5f6f7f8f9f0f1f2f3f4f5f6f7f8f9f0f1f2f3f4f5f"
    static let podID = "4ba0a2b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9"

    static func container(_ name: String = "web", secondsAgo: Int64 = 120) -> CRIContainer {
        var container = CRIContainer()
        container.id = containerID
        container.podSandboxID = podID
        container.metadata.name = name
        container.metadata.attempt = 2
        container.image.image = "sha256:87ff76f62d367950186bde563642e39208c0e2b4afc833b4b3b01b8fef60ae9e"
        container.state = .containerRunning
        container.createdAt = ago(secondsAgo)
        container.labels = ["io.kubernetes.pod.name": "web-0", "io.kubernetes.pod.namespace": "default"]
        return container
    }

    @Test("ps shows crictl's columns") func ps() async throws {
        try await Fixture.use { fixture in
            var response = CRIListContainersResponse()
            response.containers = [Self.container()]
            fixture.runtime.answer("listContainers", response)
            let printed = try await fixture.crictl("ps")
            #expect(
                printed.lines == [
                    "CONTAINER           IMAGE               CREATED             STATE               NAME                "
                        + "ATTEMPT             POD ID              POD                 NAMESPACE",
                    "1f73f2d81bf98       87ff76f62d367       2 minutes ago       Running             web                 "
                        + "2                   4ba0a2b1c2d3e       web-0               default", "",
                ])
            let request = fixture.runtime.request("listContainers", as: CRIListContainersRequest.self)
            #expect(request?.filter.state.state == .containerRunning)
        }
    }

    @Test("ps -a asks for every state, --latest for the newest in any") func psAll() async throws {
        try await Fixture.use { fixture in
            var response = CRIListContainersResponse()
            response.containers = [Self.container("old", secondsAgo: 7200), Self.container("new", secondsAgo: 5)]
            fixture.runtime.answer("listContainers", response)
            let all = try await fixture.crictl("ps", "-a", "--no-trunc")
            #expect(all.line(1).hasPrefix(Self.containerID + "   sha256:87ff76f62d36"))
            #expect(all.line(1).contains("   5 seconds ago       Running             new"))
            #expect(all.line(2).contains("   2 hours ago         Running             old"))
            #expect(
                fixture.runtime.request("listContainers", as: CRIListContainersRequest.self)?.filter.hasState == false)
            let latest = try await fixture.crictl("ps", "-q", "-l")
            #expect(latest.lines == [Self.containerID, ""])
            let named = try await fixture.crictl("ps", "--name", "^ol", "-s", "exited")
            #expect(named.lines.count == 3 && named.line(1).contains("old"))
            #expect(
                fixture.runtime.request("listContainers", as: CRIListContainersRequest.self)?.filter.state.state
                    == .containerExited)
            let wrong = try await fixture.crictl("ps", "--state", "dead")
            #expect(wrong.failure == "--state should be one of created, running, exited or unknown")
            #expect(wrong.code == 1)
        }
    }

    @Test("pods shows crictl's columns") func pods() async throws {
        try await Fixture.use { fixture in
            var pod = CRIPodSandbox()
            pod.id = Self.podID
            pod.metadata.name = "a-pod-with-a-rather-long-name"
            pod.metadata.namespace = "default"
            pod.state = .sandboxReady
            pod.createdAt = ago(3 * 24 * 3600)
            var response = CRIListPodSandboxResponse()
            response.items = [pod]
            fixture.runtime.answer("listPodSandbox", response)
            let printed = try await fixture.crictl("pods", "--namespace", "def")
            #expect(
                printed.lines == [
                    "POD ID              CREATED             STATE               NAME                            "
                        + "NAMESPACE           ATTEMPT             RUNTIME",
                    "4ba0a2b1c2d3e       3 days ago          Ready               a-pod-with-a-rather-long-name   "
                        + "default             0                   (default)", "",
                ])
            #expect(try await fixture.crictl("pods", "--namespace", "^kube").lines.count == 2)
            #expect(try await fixture.crictl("pods", "-q").output == Self.podID + "\n")
        }
    }

    @Test("images shows crictl's columns, a row a name") func images() async throws {
        try await Fixture.use { fixture in
            var image = CRIImage()
            image.id = "sha256:87ff76f62d367950186bde563642e39208c0e2b4afc833b4b3b01b8fef60ae9e"
            image.repoTags = ["localhost/busybox:latest", "localhost/busybox:1"]
            image.repoDigests = ["localhost/busybox@sha256:0123456789abcdef"]
            image.size = 2_236_123
            image.pinned = true
            var response = CRIListImagesResponse()
            response.images = [image]
            fixture.runtime.answer("listImages", response)
            let printed = try await fixture.crictl("images", "--digests", "--pinned")
            #expect(
                printed.lines == [
                    "IMAGE               TAG                 DIGEST              IMAGE ID            "
                        + "SIZE                PINNED",
                    "localhost/busybox   latest              0123456789abc       87ff76f62d367       "
                        + "2.24MB              true",
                    "localhost/busybox   1                   0123456789abc       87ff76f62d367       "
                        + "2.24MB              true", "",
                ])
        }
    }

    @Test("stats shows what was used between two samples") func stats() async throws {
        try await Fixture.use { fixture in
            var stats = CRIContainerStats()
            stats.attributes.id = Self.containerID
            stats.attributes.metadata.name = "web"
            stats.cpu.timestamp = 1_000_000_000
            stats.cpu.usageCoreNanoSeconds.value = 5_000_000
            stats.memory.workingSetBytes.value = 1_234_567
            stats.writableLayer.usedBytes.value = 4096
            stats.writableLayer.inodesUsed.value = 7
            var response = CRIListContainerStatsResponse()
            response.stats = [stats]
            fixture.runtime.answer("listContainerStats", response)
            let printed = try await fixture.crictl("stats", "-s", "0")
            #expect(
                printed.lines == [
                    "CONTAINER           NAME                CPU %               MEM                 DISK                "
                        + "INODES              SWAP",
                    "1f73f2d81bf98       web                 0.00                1.235MB             4.096kB             "
                        + "7                   0B", "",
                ])
            var later = stats.cpu
            later.timestamp += 1_000_000_000
            later.usageCoreNanoSeconds.value += 255_000_000
            #expect(cpuPercent(stats.cpu, later) == "25.50")
        }
    }

    @Test("statsp shows a row a pod that uses something") func podStats() async throws {
        try await Fixture.use { fixture in
            var stats = CRIPodSandboxStats()
            stats.attributes.id = Self.podID
            stats.attributes.metadata.name = "web-0"
            stats.linux.cpu.timestamp = 1_000_000_000
            stats.linux.cpu.usageCoreNanoSeconds.value = 5_000_000
            stats.linux.memory.workingSetBytes.value = 4_567_000
            var response = CRIListPodSandboxStatsResponse()
            response.stats = [stats, CRIPodSandboxStats()]
            fixture.runtime.answer("listPodSandboxStats", response)
            let printed = try await fixture.crictl("statsp", "-s", "0")
            #expect(
                printed.lines == [
                    "POD                 POD ID              CPU %               MEM",
                    "web-0               4ba0a2b1c2d3e       0.00                4.567MB", "",
                ])
        }
    }

    @Test("imagefsinfo -o table shows the containers' filesystem and the images'") func filesystems() async throws {
        try await Fixture.use { fixture in
            var usage = CRIFilesystemUsage()
            usage.timestamp = 1_700_000_000_000_000_000
            usage.fsID.mountpoint = "/var/lib/kubesim/layers"
            usage.usedBytes.value = 1_234_567
            usage.inodesUsed.value = 42
            var response = CRIImageFsInfoResponse()
            response.imageFilesystems = [usage]
            fixture.runtime.answer("imageFsInfo", response)
            let printed = try await fixture.crictl("imagefsinfo", "-o", "table")
            #expect(
                printed.lines == [
                    "Container Filesystem ", "Image Filesystem ", "TimeStamp[0]: 1700000000000000000",
                    "Disk[0]: 1.235MB", "Inodes[0]: 42", "Mountpoint[0]: /var/lib/kubesim/layers", "",
                ])
        }
    }

    @Test("inspect, inspectp and inspecti -o table list what there is, and nothing else") func inspections()
        async throws
    {
        try await Fixture.use { fixture in
            var container = CRIContainerStatusResponse()
            container.status.id = Self.containerID
            container.status.metadata.name = "web"
            container.status.state = .containerExited
            container.status.createdAt = ago(7200)
            container.status.startedAt = ago(3 * 60)
            container.status.finishedAt = ago(5)
            container.status.exitCode = 3
            container.status.labels = ["b": "2", "a": "1"]
            container.info = ["pid": "7"]
            fixture.runtime.answer("containerStatus", container)
            let inspected = try await fixture.crictl("inspect", "-o", "table", "abc")
            #expect(
                inspected.lines == [
                    "ID: \(Self.containerID)", "Name: web", "State: CONTAINER_EXITED", "Created: 2 hours ago",
                    "Started: 3 minutes ago", "Finished: 5 seconds ago", "Exit Code: 3", "Labels:", "\ta -> 1",
                    "\tb -> 2", "Info: map[pid:7]", "",
                ])
            var pod = CRIPodSandboxStatusResponse()
            pod.status.id = Self.podID
            pod.status.metadata.name = "web-0"
            pod.status.metadata.namespace = "default"
            pod.status.network.ip = "10.88.0.5"
            fixture.runtime.answer("podSandboxStatus", pod)
            let lines = try await fixture.crictl("inspectp", "-q", "-o", "table", "abc").lines
            #expect(
                lines.filter { !$0.hasPrefix("Created: ") } == [
                    "ID: \(Self.podID)", "Name: web-0", "Namespace: default", "Attempt: 0", "Status: SANDBOX_READY",
                    "IP Addresses: 10.88.0.5", "",
                ])
            var image = CRIImageStatusResponse()
            image.image.id = "sha256:abc"
            image.image.repoTags = ["localhost/a:1"]
            image.image.repoDigests = ["localhost/a@sha256:def"]
            image.image.size = 2_236_123
            fixture.runtime.answer("imageStatus", image)
            #expect(
                try await fixture.crictl("inspecti", "-q", "-o", "table", "abc").lines == [
                    "ID: sha256:abc", "Tag: localhost/a:1", "Digest: localhost/a@sha256:def", "Size: 2.24MB", "",
                ])
        }
    }

    @Test("runtime-config shows the cgroup driver") func runtimeConfig() async throws {
        try await Fixture.use { fixture in
            var response = CRIRuntimeConfigResponse()
            response.linux.cgroupDriver = .cgroupfs
            fixture.runtime.answer("runtimeConfig", response)
            let printed = try await fixture.crictl("runtime-config")
            #expect(printed.output == "cgroup driver:   CGROUPFS\n")
        }
    }

    @Test("version prints what crictl prints") func version() async throws {
        try await Fixture.use { fixture in
            var version = CRIVersionResponse()
            (version.version, version.runtimeName) = ("0.1.0", "kubesim")
            (version.runtimeVersion, version.runtimeApiVersion) = ("0.1.0", "v1")
            fixture.runtime.answer("version", version)
            let printed = try await fixture.crictl("version")
            #expect(
                printed.output
                    == "Version:  0.1.0\nRuntimeName:  kubesim\nRuntimeVersion:  0.1.0\nRuntimeApiVersion:  v1\n")
        }
    }

    @Test(
        "durations are worded as crictl words them",
        arguments: [
            (0.4, "Less than a second"), (1.2, "1 second"), (59, "59 seconds"), (61, "About a minute"),
            (150, "2 minutes"), (3599, "59 minutes"), (3600, "About an hour"), (3 * 3600, "3 hours"),
            (47 * 3600, "47 hours"), (48 * 3600, "2 days"), (14 * 86400, "2 weeks"), (61 * 86400, "2 months"),
            (800 * 86400, "2 years"),
        ] as [(Double, String)])
    func durations(_ seconds: Double, _ words: String) { #expect(Human.duration(seconds: seconds) == words) }

    @Test("sizes have three or four digits")
    func sizes() {
        #expect(Human.size(0) == "0B")
        #expect(Human.size(999) == "999B")
        #expect(Human.size(2_236_123, digits: 3) == "2.24MB")
        #expect(Human.size(1_500_000_000_000) == "1.5TB")
    }
}
