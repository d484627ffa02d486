import FoundationEssentials
import JSON
import TestKit
import Testing

/// A manifest's way from a directory to an answering process, and back to nothing.
@Suite(.serialized) struct WholePath {
    @Test(
        "a dropped manifest answers HTTP, a changed one is replaced, a removed one leaves nothing",
        .needs(.root, .overlayfs, .programs, .samples, .cniPlugins, .iptables))
    func wholePath() async throws {
        try await TestNode.use { node in
            try node.drop("web", Manifests.web(greeting: "first light"))
            let first = try #require(try await node.waitReady("web").first)
            let answer = try #require(await WebAnswer.ask(first.podIP, 8080, "/"))
            #expect(answer.status == 200)
            #expect(answer.body.contains("first light"))

            // The same content again is not a change.
            try node.drop("web", Manifests.web(greeting: "first light"))
            try node.drop("other", Manifests.counter("other", mark: node.root))
            let both = try await node.waitReady("web", "other")
            let same = try #require(both.first { $0.podName.hasPrefix("web-") })
            #expect(same["metadata"]?["uid"]?.stringValue == first["metadata"]?["uid"]?.stringValue)
            #expect(same.containerID == first.containerID)
            try node.removeManifest("other")

            try node.drop("web", Manifests.web(greeting: "second light"))
            try await eventually("the changed pod answers alone") {
                let pods = try await node.pods()
                guard pods.count == 1, let pod = pods.first, pod.isReadyPod else { return false }
                return await WebAnswer.ask(pod.podIP, 8080, "/")?.body.contains("second light") ?? false
            }

            try node.removeManifest("web")
            try await eventually("the pod is gone") { try await node.pods().isEmpty }
            try await eventually("nothing of it is left") { Leftovers.of(node).isEmpty }
            #expect(Leftovers.of(node) == [])
        }
    }

    @Test(
        "two nodes run beside each other",
        .needs(.root, .overlayfs, .programs, .samples, .cniPlugins, .iptables))
    func twoNodes() async throws {
        try await TestNode.use { left in
            try await TestNode.use { right in
                try left.drop("web", Manifests.web(greeting: "left"))
                try right.drop("web", Manifests.web(greeting: "right"))
                for (node, greeting) in [(left, "left"), (right, "right")] {
                    let pod = try #require(try await node.waitReady("web").first)
                    let answer = try #require(await WebAnswer.ask(pod.podIP, 8080, "/"))
                    #expect(answer.body.contains(greeting))
                }
            }
            // The other node's end is none of this one's business.
            let pod = try #require(try await left.waitReady("web").first)
            #expect(await WebAnswer.ask(pod.podIP, 8080, "/")?.status == 200)
        }
    }
}

/// What a pod would leave on a node that goes on.
enum Leftovers {
    static func of(_ node: TestNode) -> [String] {
        var left: [String] = []
        for place in [
            "run/sandboxes", "run/containers", "sandboxes", "containers", "snapshots", "pods", "log/pods",
            "log/containers",
        ] {
            let entries = (try? FileManager.default.contentsOfDirectory(atPath: node.root + "/" + place)) ?? []
            left += entries.map { "\(place)/\($0)" }
        }
        left += MountTable.below(node.root).map { "mount \($0)" }
        left += ProcessTable.mentioning(node.root).filter { $0.contains("kubesim-shim") }
        return left
    }
}

extension JSONValue {
    var containerID: String? {
        self["status"]?["containerStatuses"]?.arrayValue?.first?["containerID"]?.stringValue
    }

    var firstState: JSONValue? { self["status"]?["containerStatuses"]?.arrayValue?.first?["state"] }
}
