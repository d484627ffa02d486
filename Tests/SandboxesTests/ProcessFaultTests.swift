import CRI
import Glibc
import Linux
import PodNetwork
import SwiftProtobuf
import TestKit
import Testing

@testable import Sandboxes

/// The processes that work for the node, killed and stopped (SIGKILL, SIGSTOP) at every command of a pod's and a container's
/// life. The node itself has its own: `NodeFaultTests`.
@Suite(
    "A shim, an OCI runtime or a plugin that dies or hangs", .serialized,
    .needs(.root, .overlayfs, .programs, .busybox, .cniPlugins))
struct ProcessFaultTests {
    /// Short, so that what hangs is given up soon; long enough for a busy machine.
    private static func impatient(_ changes: inout EngineFixture.Changes) {
        changes.engine.stepDeadline = .seconds(3)
        changes.engine.shimDeadline = .seconds(2)
        changes.network.pluginDeadline = .seconds(3)
    }

    @Test("the call ends in time and names the pod, another try succeeds, the neighbour runs on, and nothing is left")
    func everyCommand() async throws {
        let faults = Fault.all.filter { $0.command != "daemon" }
        try await EngineFixture.use(
            change: { scratch, changes in
                Self.impatient(&changes)
                try ScriptedHost(scratch: scratch).prepare(&changes, faults)
            },
            { fixture in
                let neighbour = try await Neighbour.start(fixture)
                let before = try await House.of(fixture)
                // Several at once, so that those that hang don't add up, and hold up nobody else.
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for (index, fault) in faults.enumerated() {
                        if index >= 6 { try await group.next() }
                        group.addTask { try await Self.live(fixture, fault) }
                    }
                    try await group.waitForAll()
                }
                try await neighbour.expectUntouched()
                try await House.expect(before, fixture)
                try await fixture.stopAndRemove(neighbour.sandbox)
            })
    }

    private static func live(_ fixture: EngineFixture, _ fault: Fault) async throws {
        let life = PodLife(fixture, fault.description, handler: fault.victim == .plugin ? "" : fault.description)
        do {
            try await life.live()
        } catch {
            Issue.record("\(fault): \(error), after \(life.failures)")
            return
        }
        let plan =
            fault.victim == .plugin ? "faults/plugin/\(fault)" : "runtimes/\(fault).plan"
        #expect(!File.exists(fixture.scratch.file(plan)), "\(fault) never happened")
        for failure in life.failures {
            #expect(failure.error.message.contains("default/\(fault)"), "\(fault): \(failure)")
        }
        // What is made fails; what is taken away succeeds by other means, or at the second try.
        let isMaking = ["create", "start", "add"].contains(fault.command)
        #expect(life.failures.count <= 2, "\(fault): \(life.failures)")
        if isMaking, fault.moment != .after || fault.victim == .plugin {
            #expect(!life.failures.isEmpty, "\(fault)")
        }
        if fault.signal == .STOP, fault.victim != .plugin, isMaking, let first = life.failures.first {
            #expect(first.error.code == .deadlineExceeded, "\(fault): \(first)")
        }
    }

    @Test(
        "a shim that dies or hangs as it starts is named, nothing is left of it, and the next try starts another",
        arguments: Fault.all.filter { $0.command == "daemon" }.map(\.description))
    func shimStart(name: String) async throws {
        let fault = try #require(Fault.all.first { $0.description == name })
        try await EngineFixture.use(
            change: { scratch, changes in
                Self.impatient(&changes)
                try ScriptedHost(scratch: scratch).prepare(&changes, [])
            },
            { fixture in
                let neighbour = try await Neighbour.start(fixture)
                let before = try await House.of(fixture)
                try ScriptedHost(scratch: fixture.scratch).armShim(fault)
                let life = PodLife(fixture, "daemon")
                try await life.live()
                #expect(life.failures.count == 1, "\(life.failures)")
                let message = life.failures.first?.error.message ?? ""
                #expect(message.contains("pod default/daemon: sandbox: "), "\(message)")
                try await neighbour.expectUntouched()
                try await House.expect(before, fixture, name)
                try await fixture.stopAndRemove(neighbour.sandbox)
            })
    }
}
