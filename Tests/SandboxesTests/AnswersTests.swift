import CRI
import JSON
import Linux
import SwiftProtobuf
import TestKit
import Testing

@testable import Sandboxes

@Suite("What the engine answers", .serialized, .needs(.root, .overlayfs, .programs, .busybox, .cniPlugins))
struct AnswersTests {
    @Test("lists, statuses, verbose documents, stats and images of a running pod")
    func answers() async throws {
        try await EngineFixture.use { fixture in
            let engine = fixture.engine
            let status = try await engine.status(CRIStatusRequest.with { $0.verbose = true })
            #expect(status.status.conditions.map(\.type) == ["RuntimeReady", "NetworkReady"])
            #expect(status.status.conditions.allSatisfy { $0.status })
            #expect(status.info["config"]?.contains("\"cgroupDriver\":\"cgroupfs\"") == true)
            #expect(status.runtimeHandlers.map(\.name) == ["", "kubesim-oci"])
            #expect(status.runtimeHandlers.allSatisfy { $0.features.recursiveReadOnlyMounts })
            #expect(status.features.supplementalGroupsPolicy && status.features.userNamespacesHostNetwork)
            #expect(try await engine.runtimeConfig(CRIRuntimeConfigRequest()).linux.cgroupDriver == .cgroupfs)
            #expect(try await engine.version(CRIVersionRequest()).runtimeApiVersion == "v1")

            let pod = fixture.sandboxConfig("answers")
            let sandbox = try await fixture.run(pod)
            var config = fixture.containerConfig("main", ["/bin/sh", "-c", "while true; do :; done"])
            config.labels = ["part": "one"]
            config.linux.resources.memoryLimitInBytes = 128 << 20
            let container = try await fixture.create(config, in: sandbox, of: pod)
            try await fixture.start(container)

            func containers(_ change: (inout CRIContainerFilter) -> Void) async throws -> [String] {
                var request = CRIListContainersRequest()
                change(&request.filter)
                return try await engine.listContainers(request).containers.map(\.id)
            }
            #expect(try await containers { $0.podSandboxID = String(sandbox.prefix(10)) } == [container])
            #expect(try await containers { $0.labelSelector = ["part": "one"] } == [container])
            #expect(try await containers { $0.labelSelector = ["part": "two"] }.isEmpty)
            #expect(try await containers { $0.state.state = .containerExited }.isEmpty)
            #expect(try await containers { $0.id = "ffff" + container }.isEmpty)
            var ready = CRIListPodSandboxRequest()
            ready.filter.state.state = .sandboxReady
            #expect(try await engine.listPodSandbox(ready).items.map(\.id) == [sandbox])

            let verbose = try await engine.containerStatus(
                CRIContainerStatusRequest.with {
                    $0.containerID = container
                    $0.verbose = true
                })
            let info = try JSONValue.parse(Array(try #require(verbose.info["info"]).utf8))
            #expect(info["sandboxID"]?.stringValue == sandbox)
            #expect(File.exists("/proc/\(info["pid"]?.intValue ?? 0)"))
            #expect(info["snapshotKey"]?.stringValue == container)
            #expect(info["config"]?["metadata"]?["name"]?.stringValue == "main")
            #expect(info["runtimeSpec"]?["process"]?["args"]?[0]?.stringValue == "/bin/sh")
            #expect(verbose.status.image.image == EngineFixture.image)
            #expect(verbose.status.resources.linux.memoryLimitInBytes == 128 << 20)
            let podInfo = try await engine.podSandboxStatus(
                CRIPodSandboxStatusRequest.with {
                    $0.podSandboxID = sandbox
                    $0.verbose = true
                })
            let sandboxInfo = try JSONValue.parse(Array(try #require(podInfo.info["info"]).utf8))
            #expect(sandboxInfo["config"]?["metadata"]?["uid"]?.stringValue == "uid-answers")
            #expect(sandboxInfo["runtimeSpec"]?["hostname"]?.stringValue == "answers")
            let interface = sandboxInfo["cniResult"]?["Interfaces"]?["eth0"]
            #expect(interface?["IPConfigs"]?[0]?["IP"]?.stringValue == podInfo.status.network.ip)
            let made = sandboxInfo["cniResult"]?["Interfaces"]
            #expect(made?["lo"]?["IPConfigs"]?[0]?["IP"]?.stringValue == "127.0.0.1")
            #expect(made?["kst\(fixture.token)"]?["Sandbox"]?.stringValue == "")
            #expect(podInfo.containersStatuses.map(\.id) == [container])

            try await eventually("the container has used the processor") {
                let stats = try await engine.containerStats(
                    CRIContainerStatsRequest.with { $0.containerID = container }
                ).stats
                return stats.cpu.usageNanoCores.value > 10_000_000 && stats.memory.workingSetBytes.value > 0
            }
            let podStats = try await engine.podSandboxStats(
                CRIPodSandboxStatsRequest.with { $0.podSandboxID = sandbox }
            ).stats
            #expect(podStats.linux.network.defaultInterface.name == "eth0")
            #expect(podStats.linux.containers.map(\.attributes.id) == [container])
            let layer = try #require(podStats.linux.containers.first?.writableLayer)
            #expect(layer.inodesUsed.value > 0 && layer.timestamp > 0)
            #expect(podStats.linux.process.processCount.value > 0)
            #expect(podStats.linux.containers.first?.hasSwap == true)
            if File.exists("/proc/pressure/cpu"), File.exists("/sys/fs/cgroup/unified/cpu.pressure") {
                #expect(podStats.linux.containers.first?.cpu.psi.hasSome == true)
                #expect(podStats.linux.containers.first?.io.hasPsi == true)
            }
            let names = try await engine.listMetricDescriptors(CRIListMetricDescriptorsRequest()).descriptors.map(
                \.name)
            let metrics = try await engine.listPodSandboxMetrics(CRIListPodSandboxMetricsRequest()).podMetrics
            let told = metrics.flatMap {
                $0.metrics.map(\.name) + $0.containerMetrics.flatMap { $0.metrics.map(\.name) }
            }
            #expect(Set(names).count == names.count && Set(told).isSubset(of: names))
            // What every host counts.
            #expect(
                Set(told).isSuperset(of: [
                    "container_cpu_usage_seconds_total", "container_memory_working_set_bytes",
                    "container_memory_failures_total", "container_fs_usage_bytes", "container_processes",
                    "container_file_descriptors", "container_start_time_seconds",
                    "container_network_receive_packets_total", "container_spec_memory_limit_bytes",
                ]))
            let keys = Dictionary(
                uniqueKeysWithValues: try await engine.listMetricDescriptors(CRIListMetricDescriptorsRequest())
                    .descriptors.map { ($0.name, $0.labelKeys) })
            for metric in metrics.flatMap({ $0.metrics + $0.containerMetrics.flatMap(\.metrics) }) {
                #expect(metric.labelValues.count == keys[metric.name]?.count, "\(metric.name)")
                #expect(metric.labelValues.prefix(6).contains(pod.metadata.name), "\(metric.name)")
            }

            _ = try await engine.updateContainerResources(
                CRIUpdateContainerResourcesRequest.with {
                    $0.containerID = container
                    $0.linux.memoryLimitInBytes = 96 << 20
                    $0.linux.cpuShares = 333
                })
            let limit = try await fixture.exec(
                container,
                [
                    "/bin/sh", "-c",
                    "cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max",
                ])
            #expect(String(decoding: limit.stdout, as: UTF8.self) == "\(96 << 20)\n")
            #expect(try await fixture.status(container).resources.linux.cpuShares == 333)

            _ = try await engine.updatePodSandboxResources(
                CRIUpdatePodSandboxResourcesRequest.with {
                    $0.podSandboxID = sandbox
                    $0.resources.memoryLimitInBytes = 200 << 20
                    $0.overhead.cpuShares = 5
                })
            // Checked: unread, the number is kept and shown.
            let refused = await refusal {
                _ = try await engine.updatePodSandboxResources(
                    CRIUpdatePodSandboxResourcesRequest.with {
                        $0.podSandboxID = sandbox
                        $0.resources.cpuPeriod = 1
                    })
            }
            #expect(refused?.code == .invalidArgument)
            let resized = try await engine.podSandboxStatus(
                CRIPodSandboxStatusRequest.with {
                    $0.podSandboxID = sandbox
                    $0.verbose = true
                })
            let linux = try JSONValue.parse(Array(try #require(resized.info["info"]).utf8))["config"]?["linux"]
            #expect(linux?["resources"]?["memory_limit_in_bytes"]?.intValue == 200 << 20)
            #expect(linux?["overhead"]?["cpu_shares"]?.intValue == 5)

            var pieces: [String] = []
            for try await piece in try await engine.streamContainers(CRIStreamContainersRequest()) {
                pieces += piece.containers.map(\.id)
            }
            #expect(pieces == [container])
            try await fixture.stopAndRemove(sandbox)
        }
    }

    @Test("images: found by every name, pulled when they are there, and named when they aren't")
    func images() async throws {
        try await EngineFixture.use { fixture in
            let engine = fixture.engine
            let all = try await engine.listImages(CRIListImagesRequest()).images
            #expect(all.map(\.repoTags) == [[EngineFixture.image]] && all[0].pinned && all[0].size > 0)
            var request = CRIImageStatusRequest()
            request.verbose = true
            for name in [
                EngineFixture.image, "localhost/busybox", all[0].id, String(all[0].id.dropFirst(7).prefix(12)),
            ] {
                request.image.image = name
                let answer = try await engine.imageStatus(request)
                #expect(answer.image.id == all[0].id, "\(name)")
                #expect(answer.info["info"]?.contains("\"Cmd\":[\"/bin/sh\"") == true)
            }
            request.image.image = "localhost/none:v2"
            #expect(try await !engine.imageStatus(request).hasImage)
            var pull = CRIPullImageRequest()
            pull.image.image = EngineFixture.image
            #expect(try await engine.pullImage(pull).imageRef == all[0].id)
            pull.image.image = "127.0.0.1:1/app:v1"
            let error = try #require(await refusal { _ = try await engine.pullImage(pull) })
            #expect(error.code == .unavailable)
            #expect(error.message.contains("127.0.0.1:1/v2/app/manifests/v1"))
            #expect(error.message.contains("kubesim image load"))
            let filesystem = try await engine.imageFsInfo(CRIImageFsInfoRequest())
            #expect((filesystem.imageFilesystems.first?.usedBytes.value ?? 0) > 0)
            var remove = CRIRemoveImageRequest()
            remove.image.image = EngineFixture.image
            _ = try await engine.removeImage(remove)
            _ = try await engine.removeImage(remove)
            #expect(try await engine.listImages(CRIListImagesRequest()).images.isEmpty)
        }
    }
}
