import FoundationEssentials
import Glibc
import JSON
import TestKit
import Testing

/// The node agent may die at any moment: nothing of the pods is lost by it.
@Suite(.serialized) struct Survival {
    static let names = (0..<10).map { "pod\($0)" }

    @Test(
        "kill -9 at twenty random moments of the life of ten pods loses nothing",
        .needs(.root, .overlayfs, .programs, .samples, .cniPlugins, .iptables))
    func killed() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SplitMix(state: seed)
        print("Survival: seed \(seed)")
        try await TestNode.use { node in
            let signal = try node.scratch.directory("signal")
            try node.drop("ending", Manifests.ending("ending", code: 7, directory: signal))
            // The first kills hit the pods' making, the later ones their running, their ending and their removal.
            for name in Self.names { try node.drop(name, Manifests.counter(name, mark: "\(node.root)-\(name)-mark")) }
            for round in 0..<20 {
                if round == 8 { try await node.waitReady(Self.names + ["ending"]) }
                if round == 10 { try node.removeManifest("pod9") }
                if round == 14 { try node.drop("pod9", Manifests.counter("pod9", mark: "\(node.root)-pod9-mark")) }
                // The random moment is the test's subject, not a wait for something.
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...700, using: &random)))
                try await node.stop(SIGKILL)
                // It ends while nobody watches.
                if round == 12 { try Data().write(to: URL(filePath: signal + "/go")) }
                try await node.start()
            }
            try await eventually("all ten run once more", within: .seconds(90)) {
                let pods = try await node.pods()
                return pods.count == 11 && pods.filter(\.isReadyPod).count == 10
            }
            for pod in try await node.pods() where !pod.podName.hasPrefix("ending") {
                #expect(pod.restartCount == 0, "\(pod.podName) was restarted")
            }
            for name in Self.names {
                let copies = ProcessTable.originals(mentioning: "\(node.root)-\(name)-mark").filter {
                    $0.contains("sh -c")
                }
                #expect(copies.count == 1, "copies of \(name): \(copies)")
                try Self.expectNoGap(in: node, pod: name)
            }
            let ended = try #require(try await node.pods().first { $0.podName.hasPrefix("ending") })
            #expect(ended.firstState?["terminated"]?["exitCode"]?.intValue == 7)
        }
    }

    @Test(
        "a stopped node leaves its pods running, and the next one adopts them with the same processes",
        .needs(.root, .overlayfs, .programs, .samples, .cniPlugins, .iptables))
    func stopped() async throws {
        try await TestNode.use { node in
            let mark = "\(node.root)-adopted-mark"
            try node.drop("adopted", Manifests.counter("adopted", mark: mark))
            let before = try #require(try await node.waitReady("adopted").first)
            let process = ProcessTable.originals(mentioning: mark)
            #expect(process.count == 1)
            try await node.stop(SIGTERM)
            #expect(ProcessTable.originals(mentioning: mark) == process)
            try await node.start()
            let after = try #require(try await node.waitReady("adopted").first)
            #expect(after.containerID == before.containerID)
            #expect(after.restartCount == 0)
            #expect(ProcessTable.originals(mentioning: mark) == process)
            try Self.expectNoGap(in: node, pod: "adopted")
        }
    }

    @Test(
        "a node that waits for its pods says for which, and leaves them when it is asked a second time",
        .needs(.root, .overlayfs, .programs, .samples, .cniPlugins, .iptables))
    func secondSignal() async throws {
        try await TestNode.use { node in
            let mark = "\(node.root)-stubborn-mark"
            let stubborn = Manifests.counter("stubborn", mark: mark)
                .replacing("trap 'exit 0' TERM", with: "trap '' TERM")
                .replacing(
                    "terminationGracePeriodSeconds: 1",
                    with: "terminationGracePeriodSeconds: 600\n  restartPolicy: Never")
            try node.drop("stubborn", stubborn)
            try await node.waitReady("stubborn")
            try await node.stop()
            try await node.start(ephemeral: true)
            node.signal(SIGINT)
            try await eventually("the node says for whom it waits") {
                node.log.contains("still stopping pods") && node.log.contains("pods=default/stubborn-")
            }
            try await node.stop(SIGINT)
            #expect(node.log.contains("pods were left as they are: default/stubborn-"), "\(node.log.suffix(2000))")
            let left = ProcessTable.originals(mentioning: mark)
            #expect(left.count == 1)
            // It hears nothing else; the test's own end would wait for it.
            for line in left {
                if let pid = line.split(separator: " ").first.flatMap({ pid_t($0) }) { kill(pid, SIGKILL) }
            }
        }
    }

    @Test(
        "after a reboot each pod runs once again, in exactly one copy",
        .needs(.root, .overlayfs, .programs, .samples, .cniPlugins, .iptables))
    func rebooted() async throws {
        try await TestNode.use { node in
            let marks = (0..<3).map { "\(node.root)-reboot\($0)-mark" }
            for (index, mark) in marks.enumerated() {
                try node.drop("reboot\(index)", Manifests.counter("reboot\(index)", mark: mark))
            }
            let before = try await node.waitReady("reboot0", "reboot1", "reboot2")
            try await node.stop(SIGKILL)
            // What a reboot does: every process is gone, nobody reported it, and the directories are still there.
            try Self.killEverything(of: node, pods: before, marks: marks)
            try await node.start()
            try await eventually("each pod runs again", within: .seconds(60)) {
                let pods = try await node.pods()
                return pods.count == 3 && pods.allSatisfy(\.isReadyPod)
                    && Set(pods.map(\.containerID)).isDisjoint(with: Set(before.map(\.containerID)))
            }
            for mark in marks {
                #expect(ProcessTable.originals(mentioning: mark).filter { $0.contains("sh -c") }.count == 1)
            }
        }
    }

    /// Kills the shims first, so that nobody is left to write down how the containers ended.
    private static func killEverything(of node: TestNode, pods: [JSONValue], marks: [String]) throws {
        let shims = ProcessTable.mentioning(node.root).filter { $0.contains("kubesim-shim") }
        let pauses = shims.flatMap { shim in children(of: shim) }
        let containers = marks.flatMap(ProcessTable.mentioning)
        for line in shims + pauses + containers {
            guard let pid = line.split(separator: " ").first.flatMap({ pid_t($0) }) else { continue }
            kill(pid, SIGKILL)
        }
    }

    private static func children(of line: String) -> [String] {
        guard let pid = line.split(separator: " ").first else { return [] }
        return ProcFile.text("/proc/\(pid)/task/\(pid)/children").split(separator: " ").map(String.init)
    }

    /// The pod counts 0, 1, 2, …: its log has every number once, in order.
    private static func expectNoGap(in node: TestNode, pod: String) throws {
        let directories = try FileManager.default.contentsOfDirectory(atPath: node.podLogs)
            .filter { $0.hasPrefix("default_\(pod)-") }
        let directory = try #require(directories.first)
        #expect(directories.count == 1)
        let path = "\(node.podLogs)/\(directory)/counter/0.log"
        let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
        // The last line may be half written at this very moment.
        let lines = text.split(separator: "\n").dropLast(text.hasSuffix("\n") ? 0 : 1)
        let numbers = lines.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
        #expect(numbers == Array(0..<numbers.count), "the log of \(pod) has a gap: \(path)")
        #expect(!numbers.isEmpty)
    }
}

/// A random source that a printed seed repeats.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
