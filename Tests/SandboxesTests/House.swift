import CRI
import Glibc
import Linux
import TestKit
import Testing

@testable import Sandboxes

/// Everything of an engine that lies about on the host: what a life that has ended must leave as it was.
struct House: Equatable, CustomStringConvertible {
    var things: Set<String>

    var description: String { things.sorted().joined(separator: "\n") }

    static func of(_ fixture: EngineFixture) async throws -> House {
        let scratch = fixture.scratch
        var things: Set<String> = []
        func add(_ kind: String, _ names: [String]) { things.formUnion(names.map { kind + " " + $0 }) }
        let records = try fixture.records()
        add("record", records.sandboxes + records.containers)
        for place in [
            "state/sandboxes", "state/containers", "state/oci", "root/containers", "network/results",
            "images/snapshots",
        ] {
            add("file \(place)", entries(scratch.file(place)).filter { !$0.hasPrefix(".") })
        }
        for network in entries(scratch.file("network/addresses")) {
            add("address", entries(scratch.file("network/addresses/\(network)")).filter { $0.first?.isNumber == true })
        }
        add("mount", MountTable.below(scratch.path))
        add("namespace", entries(fixture.configuration.netnsDirectory))
        for top in ["/sys/fs/cgroup"] + entries("/sys/fs/cgroup").map({ "/sys/fs/cgroup/" + $0 }) {
            add("cgroup", entries("\(top)/kubesim-test-\(fixture.token)/kubesim").filter { $0.count == 64 })
        }
        add("process", ProcessTable.mentioning(scratch.path))
        return House(things: things)
    }

    /// Waits until the house is as it was; the failure tells what is there, and what isn't.
    static func expect(_ before: House, _ fixture: EngineFixture, _ comment: String = "") async throws {
        var now = before
        do {
            try await eventually("the house is as it was") {
                now = try await House.of(fixture)
                return now == before
            }
        } catch {
            let (more, less) = (now.things.subtracting(before.things), before.things.subtracting(now.things))
            Issue.record("\(comment): left \(more.sorted()), lost \(less.sorted())")
        }
    }

    private static func entries(_ directory: String) -> [String] { (try? Directory.names(directory)) ?? [] }
}

/// A pod that runs beside whatever a test does, and must not be touched by it.
struct Neighbour {
    let fixture: EngineFixture
    let sandbox: String
    let container: String
    private let pid: Int32

    static func start(_ fixture: EngineFixture) async throws -> Neighbour {
        let pod = fixture.sandboxConfig("neighbour")
        let sandbox = try await fixture.run(pod)
        let container = try await fixture.create(
            fixture.containerConfig("main", ["/bin/sleep", "100000"]), in: sandbox, of: pod)
        try await fixture.start(container)
        let pid = await fixture.engine.containers.values.first { $0.record.id.text == container }?.record.pid ?? 0
        return Neighbour(fixture: fixture, sandbox: sandbox, container: container, pid: pid)
    }

    /// The same process runs, and answers at once.
    func expectUntouched(_ comment: String = "") async throws {
        let now = await fixture.engine.containers.values.first { $0.record.id.text == container }?.record
        #expect(now?.stage == .running && now?.pid == pid && kill(pid, 0) == 0, "\(comment)")
        let answer = try await fixture.exec(container, ["/bin/echo", "here"])
        #expect(String(decoding: answer.stdout, as: UTF8.self) == "here\n", "\(comment)")
    }
}
