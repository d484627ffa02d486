import FoundationEssentials
import Glibc
import ShimClient
import ShimProtocol
import TestKit
import Testing

@Suite("A shim keeps nothing of what is gone", .needs(.root, .programs, .busybox))
struct LeakTests {
    /// Open descriptors and private memory of a process.
    private func weight(_ pid: pid_t) throws -> (descriptors: Int, anonymousKilobytes: Int) {
        let rollup = try String(contentsOfFile: "/proc/\(pid)/smaps_rollup", encoding: .utf8)
        let line = rollup.split(separator: "\n").first { $0.hasPrefix("Anonymous:") }
        return (
            try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count,
            Int(line?.split(separator: " ").dropFirst().first ?? "") ?? 0
        )
    }

    /// A container with everything: attached, with an exec of its own, loud, deleted.
    private func live(_ pod: TestPod, _ shim: ShimConnection, _ name: String, terminal: Bool) async throws {
        let request = try pod.request(
            name, "read x; head -c 200000 /dev/zero | tr '\\0' x; echo", terminal: terminal, stdin: true)
        _ = try await shim.create(request)
        let (input, output) = (try TestPipe(), try TestPipe())
        try await shim.attach(request.id, streams: StreamDescriptors(stdin: input.reading, stdout: output.writing))
        output.closeWriting()
        try await shim.start(request.id)
        let handle = try await shim.exec(pod.exec(request.id, "e", "exit 3", terminal: terminal))
        #expect(try await shim.waitForExit(request.id, exec: "e").exitCode == 3)
        _ = handle.terminal
        #expect(write(input.writing, "go\n", 3) == 3)
        #expect(try await output.read().utf8.filter { $0 == UInt8(ascii: "x") }.count == 200_000)
        #expect(try await shim.waitForExit(request.id).exitCode == 0)
        try await shim.delete(request.id)
    }

    @Test func `Containers, terminals, execs and failures leave no descriptor, file or memory`() async throws {
        try await TestPod.use { pod, shim in
            let pid = try await shim.info().pid
            let idle = try weight(pid).descriptors
            for round in 0..<3 { try await live(pod, shim, "warm\(round)", terminal: round == 0) }
            // The answer to a request comes a moment before the shim has let go of all that the request took.
            try await eventually("the shim is at rest") { try weight(pid).descriptors == idle }
            // The heap takes what it needs at its fullest moment and keeps it; a leak would take more each time, for ever.
            var sizes = [try weight(pid).anonymousKilobytes]
            for batch in 0..<12 {
                for round in 0..<8 {
                    try await live(pod, shim, "c\(batch)-\(round)", terminal: round % 2 == 0)
                    let failing = try pod.request(
                        "f", "", terminal: round % 2 == 0, program: ["/bin/no-such-program"])
                    await #expect(throws: ShimFailure.self) { _ = try await shim.create(failing) }
                }
                try await eventually("no descriptor is left") { try weight(pid).descriptors == idle }
                sizes.append(try weight(pid).anonymousKilobytes)
                if sizes.count > 3, Set(sizes.suffix(3)).count == 1 { break }
            }
            #expect(Set(sizes.suffix(3)).count == 1, "the shim grows with every eight lives: \(sizes) kB")
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: pod.directory).sorted() == [
                    "shim.pid", "shim.sock",
                ])
        }
    }
}
