import CRI
import FoundationEssentials
import Glibc
import Linux
import TestKit
import Testing

@testable import Sandboxes

@Suite("Cycles", .serialized, .needs(.root, .overlayfs, .programs, .busybox, .cniPlugins))
struct CycleTests {
    /// How many; `KUBESIM_CYCLES=1000` for the whole of it, which takes minutes.
    private static let count = Int(ProcessInfo.processInfo.environment["KUBESIM_CYCLES"] ?? "") ?? 120

    @Test("pods that are made and removed leave no process, descriptor, mount, namespace, cgroup, file or memory")
    func cycles() async throws {
        try await EngineFixture.use { fixture in
            let neighbour = try await Neighbour.start(fixture)
            // The first ones fill pools and caches.
            for number in 0..<20 { try await Self.cycle(fixture, number) }
            let before = try await House.of(fixture)
            let (descriptors, memory, disk) = (
                try Self.descriptors(getpid()), Self.residentKilobytes(getpid()), try await Self.disk(fixture)
            )
            let shim = try Self.shim(of: neighbour)
            let shimDescriptors = try Self.descriptors(shim)
            for number in 0..<Self.count { try await Self.cycle(fixture, number) }
            try await neighbour.expectUntouched()
            try await House.expect(before, fixture)
            try await eventually("no descriptor is left") { try Self.descriptors(getpid()) <= descriptors }
            #expect(try Self.descriptors(shim) == shimDescriptors)
            let grown = Self.residentKilobytes(getpid()) - memory
            // An allocator keeps some; what leaks with every pod shows in a thousand of them.
            #expect(grown < 8192 + Self.count * 4, "grown by \(grown) KiB in \(Self.count) cycles")
            let more = try await Self.disk(fixture) - disk
            #expect(more < 5 << 10, "\(more) KiB more on disk")
            print("\(Self.count) cycles: \(grown) KiB more resident, \(more) KiB more on disk")
            try await fixture.stopAndRemove(neighbour.sandbox)
        }
    }

    private static func cycle(_ fixture: EngineFixture, _ number: Int) async throws {
        let pod = fixture.sandboxConfig("cycle\(number)")
        let sandbox = try await fixture.run(pod)
        let container = try await fixture.create(
            fixture.containerConfig("main", ["/bin/sleep", "1000"]), in: sandbox, of: pod)
        try await fixture.start(container)
        try await fixture.stopAndRemove(sandbox)
    }

    private static func descriptors(_ pid: Int32) throws -> Int { try Directory.names("/proc/\(pid)/fd").count }

    private static func shim(of neighbour: Neighbour) throws -> Int32 {
        let file = neighbour.fixture.scratch.file("state/sandboxes/\(neighbour.sandbox)/shim/shim.pid")
        return try #require(Int32(try File.readText(file).prefix { $0 != "\n" }))
    }

    private static func residentKilobytes(_ pid: Int32) -> Int {
        let line = ProcFile.text("/proc/\(pid)/status").split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        return Int(line.filter(\.isNumber)) ?? 0
    }

    /// Without the logs, which are the kubelet's to remove.
    private static func disk(_ fixture: EngineFixture) async throws -> Int {
        var sum = 0
        for place in ["root", "state", "images", "network"] {
            let outcome = try await Command(["du", "-skx", fixture.scratch.file(place)]).run()
            sum += Int(outcome.output.prefix { $0.isNumber }) ?? 0
        }
        return sum
    }
}
