import FoundationEssentials
import Glibc
import JSON
import TestKit
import Testing

/// The node itself, killed and stopped (SIGKILL, SIGSTOP) right after every step of a pod's life.
@Suite(.serialized) struct NodeFaults {
    /// The steps as the node names them (`EngineStep`), those of a pod's making and those of its end.
    static let making = [
        "sandbox recorded", "pod directory made", "shim started", "pod files written", "pause created", "pause started",
        "network attached", "sandbox ready", "container recorded", "root filesystem mounted", "volumes made",
        "bundle written", "container made", "start recorded", "process created", "process started",
    ]
    static let ending = [
        "stop asked", "process killed", "runtime state deleted", "root filesystem unmounted", "snapshot removed",
        "bundle removed", "container forgotten", "containers killed", "network detached", "pause ended", "shim ended",
        "sandbox dismantled", "pod directory removed", "sandbox forgotten",
    ]

    @Test(
        "a node that is killed after any step finds its pod again, makes or ends it, and says what it repaired",
        .needs(.root, .overlayfs, .programs, .samples, .cniPlugins, .iptables))
    func killed() async throws {
        try await TestNode.use { node in
            let neighbour = try await Neighbour.start(node)
            try await node.stop(SIGKILL)
            for (index, step) in (Self.making + Self.ending).enumerated() {
                let name = "p\(index)"
                let mark = "\(node.root)-\(name)-mark"
                try await node.start(environment: ["KUBESIM_FAULT": "kill@\(step)"])
                try node.drop(name, Self.manifest(name, mark: mark, step))
                if index >= Self.making.count {
                    try await node.waitReady("neighbour", name)
                    try node.removeManifest(name)
                }
                try await node.waitForEnd()
                #expect(neighbour.isUntouched, "\(step)")
                try await node.start()
                if index < Self.making.count {
                    try await node.waitReady("neighbour", name)
                    let copies = ProcessTable.originals(mentioning: mark).filter { $0.contains("sh -c") }
                    #expect(copies.count == 1, "\(step): \(copies)")
                    try node.removeManifest(name)
                }
                try await eventually("\(name) is gone after: \(step)") { try await node.pods().count == 1 }
                try await eventually("nothing of \(name) is left after: \(step)") {
                    ProcessTable.mentioning(mark).isEmpty && Leftovers.of(node).sorted() == neighbour.leftovers
                }
                #expect(neighbour.isUntouched, "\(step)")
                try await node.stop(SIGKILL)
            }
            // What was half made at the death was named at the next start.
            #expect(node.log.contains("what=\"took the half-made sandbox away\""))
            #expect(node.log.contains("what=\"took the half-made container away\""))
            try await node.start()
        }
    }

    @Test(
        "a node that is stopped after any step holds up no container, and goes on where it was",
        .needs(.root, .overlayfs, .programs, .samples, .cniPlugins, .iptables))
    func stopped() async throws {
        try await TestNode.use { node in
            let neighbour = try await Neighbour.start(node)
            try await node.stop(SIGKILL)
            for (index, step) in (Self.making + Self.ending).enumerated() {
                let name = "s\(index)"
                try await node.start(environment: ["KUBESIM_FAULT": "stop@\(step)"])
                try node.drop(name, Self.manifest(name, mark: "\(node.root)-\(name)-mark", step))
                if index >= Self.making.count {
                    try await node.waitReady("neighbour", name)
                    try node.removeManifest(name)
                }
                try await eventually("the node stops after: \(step)") { node.isStopped }
                #expect(neighbour.isUntouched, "\(step)")
                node.signal(SIGCONT)
                if index < Self.making.count {
                    try await node.waitReady("neighbour", name)
                    try node.removeManifest(name)
                }
                try await eventually("\(name) is gone after: \(step)") { try await node.pods().count == 1 }
                #expect(neighbour.isUntouched, "\(step)")
                try await node.stop(SIGKILL)
            }
            try await node.start()
        }
    }

    /// A pod that ends when it is asked to, unless the step is that it has to be killed.
    private static func manifest(_ name: String, mark: String, _ step: String) -> String {
        let pod = Manifests.counter(name, mark: mark)
        return step == "process killed" ? pod.replacing("trap 'exit 0' TERM", with: "trap '' TERM") : pod
    }

    /// A pod that nothing of all this may touch.
    private struct Neighbour {
        let processes: [String]
        let leftovers: [String]

        static func start(_ node: TestNode) async throws -> Neighbour {
            let mark = "\(node.root)-neighbour-mark"
            try node.drop("neighbour", Manifests.counter("neighbour", mark: mark))
            try await node.waitReady("neighbour")
            return Neighbour(
                processes: ProcessTable.originals(mentioning: mark), leftovers: Leftovers.of(node).sorted())
        }

        var isUntouched: Bool {
            processes.allSatisfy { line in
                guard let pid = pid_t(line.prefix { $0 != " " }) else { return false }
                return line.hasSuffix(ProcessTable.commandLine(pid))
            }
        }
    }
}
