import FoundationEssentials
import Glibc
import JSON
import TestKit
import Testing

/// A person's mistakes, and a machine's: each is said in a line that helps, and costs nobody else anything.
@Suite(.serialized, .needs(.root, .overlayfs, .programs, .samples, .cniPlugins, .iptables)) struct BadInput {
    @Test("a refused manifest is told with file and line; its neighbours run, and it starts when it is mended")
    func manifests() async throws {
        try await TestNode.use { node in
            let good = Manifests.counter("good", mark: node.root)
            try node.drop("good", good)
            let refusals = [
                ("binary", "\u{0}\u{1}", "1:1: "),
                ("duplicate-of-good", good, "pod default/good is already defined in \(node.manifests)/"),
                ("no-name", good.replacing("name: good", with: "labels: {}"), "metadata.name: Required value"),
                ("no-yaml", "apiVersion: v1\nkind: Pod\n  metadata: [\n", "3:11: is not YAML"),
                ("unknown-field", good.replacing("image:", with: "imagee:"), "9:7: spec.containers[0].imagee: unknown"),
                (
                    "negative-port", good + "\n      ports: [{containerPort: -1}]",
                    "spec.containers[0].ports[0].containerPort: Invalid value: -1"
                ),
            ]
            for (name, text, _) in refusals { try node.drop(name, text) }
            try await node.waitReady("good")
            try await eventually("every refusal is told") {
                let told = try await node.kubesim("pods", "--root", node.root).errors
                return refusals.allSatisfy { told.contains("refused \(node.manifests)/\($0.0).yaml") }
            }
            let told = try await node.kubesim("pods", "--root", node.root).errors
            for (name, _, reason) in refusals { #expect(told.contains(reason), "\(name): \(told)") }
            for (name, _, reason) in refusals {
                #expect(node.log.contains("file=\(node.manifests)/\(name).yaml"))
                #expect(node.log.contains(reason))
            }
            try node.drop("unknown-field", good.replacing("name: good", with: "name: mended"))
            try await node.waitReady("good", "mended")
            for (name, _, _) in refusals where name != "unknown-field" { try node.removeManifest(name) }
            try await eventually("no refusal is left") {
                try await node.kubesim("pods", "--root", node.root).errors.isEmpty
            }
        }
    }

    @Test("a pod whose image is missing names it and where it was looked for, and starts when it comes")
    func missingImage() async throws {
        try await TestNode.use { node in
            try node.drop("web", Manifests.web(greeting: "here at last"))
            try await node.waitReady("web")
            try node.removeManifest("web")
            try await eventually("the pod is gone") { try await node.pods().isEmpty }
            // While its archive lies there an image is only away until somebody needs it.
            #expect(try await node.crictl("rmi", "localhost/web:latest").code == 0)
            try node.drop("web", Manifests.web(greeting: "back"))
            try await node.waitReady("web")
            try node.removeManifest("web")
            try await eventually("the pod is gone again") { try await node.pods().isEmpty }
            try FileManager.default.removeItem(atPath: node.images + "/web.tar")
            #expect(try await node.crictl("rmi", "localhost/web:latest").code == 0)

            try node.drop("web", Manifests.web(greeting: "here at last"))
            try node.drop(
                "never",
                Manifests.web(greeting: "x").replacing("name: web\n  labels", with: "name: never\n  labels")
                    .replacing("ports:", with: "imagePullPolicy: Never\n      ports:"))
            try await eventually("both pods wait for their image") {
                let reasons = try await node.pods().map { ($0.podName, $0.waiting?["reason"]?.stringValue) }
                return reasons.contains { $0.0.hasPrefix("web-") && $0.1 == "ImagePullBackOff" }
                    && reasons.contains { $0.0.hasPrefix("never-") && $0.1 == "ErrImageNeverPull" }
            }
            for pod in try await node.pods() {
                let message = try #require(pod.waiting?["message"]?.stringValue)
                #expect(message.contains("localhost/web:latest") && message.contains(node.images), "\(message)")
            }
            try FileManager.default.copyItem(
                atPath: Binaries.repository + "/rootfs-samples/out/web.tar", toPath: node.images + "/again.tar")
            try await node.waitReady("web", "never")
        }
    }

    @Test("a flag without a value is refused, not taken for the working directory")
    func emptyFlag() async throws {
        let outcome = try await Command([Binaries.path("kubesim"), "node", "--root", ""]).run()
        #expect(outcome.code != 0)
        #expect(outcome.errors.contains("--root is empty"), "\(outcome.errors)")
    }

    @Test("a tarball that is not whole is refused by name, and nothing of it stays")
    func truncatedTarball() async throws {
        try await TestNode.use { node in
            try node.drop("good", Manifests.counter("good", mark: node.root))
            try await node.waitReady("good")
            try await eventually("both samples are there") {
                try await node.crictl("images", "-q").output.split(separator: "\n").count == 2
            }
            let before = try Self.contents(of: node)
            let whole = try Data(contentsOf: URL(filePath: Binaries.repository + "/rootfs-samples/out/web.tar"))
            try whole.prefix(whole.count / 2).write(to: URL(filePath: node.scratch.file("half.tar")))
            let loaded = try await node.kubesim(
                "image", "load", "--root", node.root, node.scratch.file("half.tar"))
            #expect(loaded.code == 1)
            #expect(loaded.errors.contains("half.tar: truncated"), "\(loaded.errors)")
            #expect(loaded.errors.split(separator: "\n").count == 1, "\(loaded.errors)")
            #expect(try Self.contents(of: node) == before)
        }
    }

    @Test("a damaged record is named, and costs its own pod a restart and nobody else anything")
    func damagedRecord() async throws {
        try await TestNode.use { node in
            for name in ["whole", "damaged"] { try node.drop(name, Manifests.counter(name, mark: node.root + name)) }
            let before = try await node.waitReady("whole", "damaged")
            try await node.stop(SIGKILL)
            let sandboxes = try await node.editState(
                "UPDATE sandbox SET record = '{\"version\":' WHERE pod LIKE 'default/damaged-%' RETURNING id")
            #expect(sandboxes.count == 1)
            try await node.start()
            let after = try await node.waitReady("whole", "damaged")
            for pod in after where pod.podName.hasPrefix("whole-") {
                #expect(before.contains { $0.containerID == pod.containerID })
            }
            for record in sandboxes { #expect(node.log.contains(record), "\(record) is not named") }
            #expect(node.log.contains("what=\"put its record aside\""))
            #expect(
                ProcessTable.originals(mentioning: node.root + "damaged").filter { $0.contains("sh -c") }.count == 1)
        }
    }

    @Test("whatever record of a pod is damaged, the pod can be removed, and nothing of it stays")
    func damagedAndRemoved() async throws {
        try await TestNode.use { node in
            let names = ["oci", "network", "container"]
            for name in names { try node.drop(name, Manifests.counter(name, mark: node.root + name)) }
            let pods = try await node.waitReady(names)
            func sandbox(_ name: String) async throws -> String {
                let output = try await node.crictl("pods", "-q", "--no-trunc", "--name", "^" + name).output
                return String(output.prefix { !$0.isNewline })
            }
            let (oci, network) = (try await sandbox("oci"), try await sandbox("network"))
            let container = try #require(
                pods.first { $0.podName.hasPrefix("container-") }?.containerID?.split(separator: "/").last)
            try await node.stop(SIGKILL)
            let results = try FileManager.default.contentsOfDirectory(atPath: node.root + "/network/results")
            let attachment = try #require(results.first { $0.contains(network) }, "\(results)")
            for path in ["run/oci/\(oci)/state.json", "network/results/\(attachment)"] {
                try #require(FileManager.default.fileExists(atPath: node.root + "/" + path), "\(path)")
                try Data("{\"version\":999".utf8).write(to: URL(filePath: node.root + "/" + path))
            }
            let damaged = try await node.editState(
                "UPDATE container SET record = '{\"version\":999' WHERE id = '\(container)' RETURNING id")
            #expect(damaged == [String(container)])
            try await node.start()
            try await node.waitReady(names)
            #expect(
                ProcessTable.originals(mentioning: node.root + "container").filter { $0.contains("sh -c") }.count == 1)
            for name in names { try node.removeManifest(name) }
            try await eventually("every pod is gone") { try await node.pods().isEmpty }
            try await eventually("nothing of them is left") { Leftovers.of(node).isEmpty }
            #expect(Leftovers.of(node) == [])
        }
    }

    @Test("a full disk is said so, and the pod starts when there is room again")
    func fullDisk() async throws {
        try await TestNode.use(
            prepare: { node in
                try #require(mount("tmpfs", node.root, "tmpfs", 0, "size=24m,mode=755") == 0)
                node.scratch.atEnd { [root = node.root] in umount2(root, Int32(MNT_DETACH)) }
            }
        ) { node in
            try node.drop("first", Manifests.counter("first", mark: node.root))
            try await node.waitReady("first")
            let ballast = node.root + "/ballast"
            _ = try await Command(["dd", "if=/dev/zero", "of=\(ballast)", "bs=64k"]).run()
            let id = String(try await node.crictl("ps", "-q").output.prefix { $0 != "\n" })
            let exec = try await node.crictl("exec", id, "true")
            // Checked: with the runtime's log on that disk it says a code and nothing else.
            #expect(exec.code == 0 || exec.errors.contains("No space left on device"), "\(exec.errors)")
            // Room for the manifest and little else.
            try await Command(["truncate", "-s", "-16K", ballast]).run()
            try node.drop("second", Manifests.counter("second", mark: node.root))
            try await eventually("the full disk is named") { node.log.contains("No space left on device") }
            try FileManager.default.removeItem(atPath: ballast)
            try await node.waitReady("first", "second", within: .seconds(120))
        }
    }

    /// The names of all that the store holds.
    private static func contents(of node: TestNode) throws -> [String] {
        try ["content", "layers", "images-records"].flatMap { place in
            let path = node.root + "/" + place
            guard FileManager.default.fileExists(atPath: path) else { return [String]() }
            return try FileManager.default.subpathsOfDirectory(atPath: path).filter { !$0.contains("/fs/") }.sorted()
        }
    }
}

extension JSONValue {
    var waiting: JSONValue? { firstState?["waiting"] }
}
