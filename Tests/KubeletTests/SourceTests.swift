import Glibc
import KubeTypes
import Synchronization
import TestKit
import Testing

@testable import Kubelet

@Suite("The manifest directory") struct SourceTests {
    /// What a source has told last.
    final class Told: Sendable {
        let files = Mutex<[ManifestFile]?>(nil)
        var names: [String]? { files.withLock { $0?.map { String($0.path.split(separator: "/").last ?? "") } } }
    }

    private func watch(
        _ scratch: Scratch, clock: ManualClock = ManualClock(), directory: String = "m",
        _ body: (Told, ManualClock) async throws -> Void
    ) async throws {
        let told = Told()
        let source = ManifestSource(
            directory: scratch.file(directory), clock: clock, logger: NodeFixture.logger,
            told: { _, files in told.files.withLock { $0 = files } })
        let running = Task { try await source.run() }
        do { try await body(told, clock) } catch {
            running.cancel()
            _ = await running.result
            throw error
        }
        running.cancel()
        try await running.value
    }

    private let text = NodeFixture.manifest("web")

    @Test func `files that are there, that come and that change are told`() async throws {
        try await Scratch.use { scratch in
            _ = try scratch.directory("m")
            try scratch.write("m/a.yaml", text)
            try await watch(scratch) { told, _ in
                try await eventually("the first") { told.names == ["a.yaml"] }
                try scratch.write(
                    "m/b.json",
                    #"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"j"},"spec":{"containers":[{"name":"c","image":"i"}]}}"#
                )
                try await eventually("the second") { told.names == ["a.yaml", "b.json"] }
                try scratch.write("m/a.yaml", NodeFixture.manifest("other"))
                try await eventually("changed") {
                    told.files.withLock { $0?.first?.pods.first?.pod.metadata.name == "other" }
                }
            }
        }
    }

    @Test func `a plain file without an ending is read, hidden ones and editors' copies are not`() async throws {
        try await Scratch.use { scratch in
            _ = try scratch.directory("m/sub")
            for name in ["plain", ".hidden.yaml", "a.yaml~", "#a.yaml#"] { try scratch.write("m/" + name, text) }
            try await watch(scratch) { told, _ in
                try await eventually("read") { told.names == ["plain"] }
                try scratch.write("m/.b.yaml.swp", text)
                try scratch.write("m/z", text)
                try await eventually("the last") { told.names == ["plain", "z"] }
            }
        }
    }

    @Test func `an editor's rename dance is no removal`() async throws {
        try await Scratch.use { scratch in
            _ = try scratch.directory("m")
            try scratch.write("m/a.yaml", text)
            try await watch(scratch) { told, clock in
                try await eventually("there") { told.names == ["a.yaml"] }
                try Files.rename(scratch.file("m/a.yaml"), scratch.file("m/a.yaml~"))
                try await eventually("it is waited for") { clock.sleepers == 1 }
                try scratch.write("m/a.yaml", NodeFixture.manifest("new"))
                try await eventually("the new one") {
                    told.files.withLock { $0?.first?.pods.first?.pod.metadata.name == "new" }
                }
                #expect(clock.sleepers == 0)
                #expect(told.names == ["a.yaml"])
            }
        }
    }

    @Test func `a removal is told when the moment has passed`() async throws {
        try await Scratch.use { scratch in
            _ = try scratch.directory("m")
            try scratch.write("m/a.yaml", text)
            try await watch(scratch) { told, clock in
                try await eventually("there") { told.names == ["a.yaml"] }
                try Files.remove(scratch.file("m/a.yaml"))
                try await eventually("it is waited for") { clock.sleepers == 1 }
                clock.advance(by: .milliseconds(200))
                try await eventually("gone") { told.names == [] }
            }
        }
    }

    @Test func `a file that is still being written is not read`() async throws {
        try await Scratch.use { scratch in
            _ = try scratch.directory("m")
            try await watch(scratch) { told, _ in
                try await eventually("told once") { told.names == [] }
                let descriptor = open(scratch.file("m/a.yaml"), O_WRONLY | O_CREAT, 0o644)
                _ = text.prefix(40).withCString { write(descriptor, $0, strlen($0)) }
                try scratch.write("m/b.yaml", NodeFixture.manifest("b"))
                try await eventually("the finished one alone") { told.names == ["b.yaml"] }
                _ = String(text.dropFirst(40)).withCString { write(descriptor, $0, strlen($0)) }
                close(descriptor)
                try await eventually("both") { told.names == ["a.yaml", "b.yaml"] }
                #expect(told.files.withLock { $0?.first?.reasons } == [])
            }
        }
    }

    @Test func `the directory may come late, go and come back`() async throws {
        try await Scratch.use { scratch in
            try await watch(scratch, directory: "x/y/m") { told, clock in
                try await eventually("told once") { told.names == [] }
                _ = try scratch.directory("x/y/m")
                try scratch.write("x/y/m/a.yaml", text)
                try await eventually("it came") { told.names == ["a.yaml"] }
                try Files.rename(scratch.file("x/y/m"), scratch.file("x/y/n"))
                try await eventually("it is waited for") { clock.sleepers == 1 }
                clock.advance(by: .milliseconds(200))
                try await eventually("it went") { told.names == [] }
                _ = try scratch.directory("x/y/m")
                try scratch.write("x/y/m/b.yaml", text)
                try await eventually("it is back") { told.names == ["b.yaml"] }
            }
        }
    }

    @Test func `a link is read when it appears, a FIFO and a huge file are refused`() async throws {
        try await Scratch.use { scratch in
            _ = try scratch.directory("m")
            try scratch.write("target", text)
            try await watch(scratch) { told, _ in
                try await eventually("told once") { told.names == [] }
                symlink(scratch.file("target"), scratch.file("m/link.yaml"))
                try await eventually("the link") { told.names == ["link.yaml"] }
                // Checked: where only links are complete at once, nothing is heard of the FIFO.
                mkfifo(scratch.file("m/pipe"), 0o644)
                try await eventually("the FIFO") { told.names == ["link.yaml", "pipe"] }
            }
            #expect(ManifestFile.read(scratch.file("m/pipe"))?.reasons == ["is no regular file"])
            try scratch.write("m/huge", String(repeating: "#", count: (1 << 20) + 1))
            #expect(ManifestFile.read(scratch.file("m/huge"))?.reasons.first?.contains("1048577 bytes") == true)
            try scratch.write("m/empty", "# nothing\n")
            #expect(ManifestFile.read(scratch.file("m/empty"))?.reasons == ["holds no pod"])
            #expect(ManifestFile.read(scratch.file("m/absent")) == nil)
        }
    }
}

@Suite("What the manifests ask for together") struct MergeTests {
    private func file(_ path: String, _ names: String...) -> ManifestFile {
        var file = ManifestFile(path: path)
        file.parse(Array(names.map { NodeFixture.manifest($0) }.joined(separator: "\n---\n").utf8))
        return file
    }

    private func merge(_ files: [ManifestFile], owners: [String: String] = [:]) -> ManifestMerge {
        ManifestMerge(files, nodeName: "Node", owners: owners) { _ in Given.now }
    }

    @Test func `a pod is named after its node and has a uid of its content`() throws {
        let merged = merge([file("/m/a", "web")])
        let pod = try #require(merged.pods.first?.pod)
        #expect(pod.metadata.name == "web-node")
        #expect(pod.metadata.namespace == "default")
        #expect(pod.spec.nodeName == "Node")
        #expect(pod.metadata.annotations["kubernetes.io/config.hash"] == pod.metadata.uid)
        #expect(pod.spec.tolerations.contains { $0.operator == "Exists" && $0.effect == "NoExecute" })
        #expect(merge([file("/m/a", "web")]).pods.first?.pod.metadata.uid == pod.metadata.uid)
        #expect(merge([file("/m/b", "web")]).pods.first?.pod.metadata.uid != pod.metadata.uid)
    }

    @Test func `a duplicate is refused with both files named, and the first one keeps the pod`() throws {
        let merged = merge([file("/m/a", "web"), file("/m/b", "web")])
        #expect(merged.pods.map(\.file) == ["/m/a"])
        #expect(
            merged.refusals == [
                ManifestRefusal(file: "/m/b", reasons: ["line 1: pod default/web is already defined in /m/a"])
            ])
        let kept = merge([file("/m/a", "web"), file("/m/b", "web")], owners: ["default/web-node": "/m/b"])
        #expect(kept.pods.map(\.file) == ["/m/b"])
        #expect(kept.refusals.map(\.file) == ["/m/a"])
    }

    @Test func `a file is taken whole or not at all`() throws {
        let merged = merge([file("/m/a", "web"), file("/m/b", "other", "web")])
        #expect(merged.pods.map(\.pod.metadata.name) == ["web-node"])
        #expect(merged.refusals.count == 1)
        #expect(merge([file("/m/b", "one", "two")]).pods.count == 2)
    }

    @Test(arguments: ["../../etc", "a/b", "a b", ""]) func `a uid that is no plain name is refused`(uid: String) {
        var parsed = file("/m/a", "web")
        guard let first = parsed.pods.first, !uid.isEmpty else { return }
        var pod = first.pod
        pod.metadata.uid = uid
        parsed.pods = [ParsedPod(pod: pod, file: "/m/a")]
        #expect(merge([parsed]).refusals.first?.reasons.first?.contains("metadata.uid") == true)
    }

    @Test func `sysctls outside the safe list, or of the host, are refused`() {
        func refusals(_ name: String, hostNetwork: Bool = false) -> [String] {
            var pod = Given.pod()
            pod.metadata.name = "web"
            pod.spec.hostNetwork = hostNetwork
            pod.spec.securityContext = PodSecurityContext(sysctls: [Sysctl(name: name, value: "1")])
            var file = ManifestFile(path: "/m/a")
            file.pods = [ParsedPod(pod: pod)]
            return merge([file]).refusals.flatMap(\.reasons)
        }
        #expect(refusals("net.ipv4.tcp_syncookies").isEmpty)
        #expect(refusals("net/ipv4/tcp_syncookies").isEmpty)
        #expect(refusals("kernel.core_pattern").first?.contains("is not a safe sysctl") == true)
        #expect(refusals("net.ipv4.tcp_syncookies", hostNetwork: true).first?.contains("host's") == true)
    }
}
