import FoundationEssentials
import Glibc
import ShimClient
import ShimProtocol
import TestKit
import Testing

@Suite("Containers under a shim", .needs(.root, .programs, .busybox))
struct ContainerTests {
    @Test func `A container is created, started, ends with its code, and its log is whole`() async throws {
        try await TestPod.use { pod, shim in
            let request = try pod.request("a", "echo out; echo err >&2; exit 7")
            let pid = try await shim.create(request)
            #expect(pid > 1)
            #expect(try await shim.info()[container: request.id]?.stage == .created)
            try await shim.start(request.id)
            let record = try await shim.waitForExit(request.id)
            #expect(record.pid == pid)
            #expect(record.exitCode == 7)
            #expect(record.signal == 0)
            #expect(!record.oomKilled)
            let lines = try pod.logLines("a")
            #expect(lines.filter { $0.stream == "stdout" } == [TestPod.Line(stream: "stdout", tag: "F", text: "out")])
            #expect(lines.filter { $0.stream == "stderr" } == [TestPod.Line(stream: "stderr", tag: "F", text: "err")])
            let file = try String(contentsOfFile: "\(pod.directory)/\(request.id).exit", encoding: .utf8)
            #expect(file.contains("\"exitCode\":7"))
            let info = try #require(try await shim.info()[container: request.id])
            #expect(info.stage == .exited)
            #expect(info.exit == record)
            #expect(info.createdAtNanoseconds > 0 && info.startedAtNanoseconds >= info.createdAtNanoseconds)
            #expect(try await shim.delete(request.id) == record)
            #expect(try await shim.info().containers == [])
            #expect(try await shim.delete(request.id) == nil)
        }
    }

    @Test func `A signal is told as 128 and its number`() async throws {
        try await TestPod.use { pod, shim in
            let request = try pod.request("a", "", program: ["/bin/sleep", "1000"])
            _ = try await shim.create(request)
            try await shim.start(request.id)
            try await shim.kill(request.id, signal: SIGKILL)
            let record = try await shim.waitForExit(request.id)
            #expect(record.exitCode == 137 && record.signal == 9)
            try await shim.kill(request.id, signal: SIGKILL)
            try await shim.delete(request.id)
        }
    }

    @Test func `A container that was never started can be killed and deleted`() async throws {
        try await TestPod.use { pod, shim in
            let request = try pod.request("a", "echo never")
            _ = try await shim.create(request)
            await #expect(throws: ShimFailure.self) { try await shim.delete(request.id) }
            #expect(try await shim.delete(request.id, force: true)?.exitCode == 137)
            #expect(try pod.logText("a") == "")
        }
    }

    @Test func `One that is deleted while it is created is deleted then`() async throws {
        try await TestPod.use { pod, shim in
            let request = try pod.request("a", "sleep 1000")
            let creation = Task { try await shim.create(request) }
            try await eventually("the shim knows of it") { try await shim.info()[container: request.id] != nil }
            try await shim.delete(request.id, force: true)
            #expect(try await shim.info().containers == [])
            #expect(try await creation.value > 1)
        }
    }

    @Test func `Fifty short containers: every exit is seen, with its own code and output`() async throws {
        try await TestPod.use { pod, shim in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<50 {
                    if number >= 8 { try await group.next() }
                    let request = try pod.request("q\(number)", "echo number \(number); exit \(number)")
                    group.addTask {
                        _ = try await shim.create(request)
                        try await shim.start(request.id)
                        #expect(try await shim.waitForExit(request.id).exitCode == Int32(number))
                        #expect(try pod.logLines("q\(number)").map(\.text) == ["number \(number)"])
                        try await shim.delete(request.id)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await shim.info().containers == [])
        }
    }

    @Test func `The error of a failed create is the runtime's own, and nothing is left of it`() async throws {
        try await TestPod.use { pod, shim in
            let request = try pod.request("a", "", program: ["/bin/no-such-program"])
            let failure = await #expect(throws: ShimFailure.self) { _ = try await shim.create(request) }
            #expect(failure?.code == .runtime)
            #expect(failure?.message.contains("no-such-program") == true, "\(failure?.message ?? "")")
            #expect(try await shim.info().containers == [])
            let missing = CreateRequest(id: "\(pod.id)-b", bundle: "/no/such/bundle")
            let second = await #expect(throws: ShimFailure.self) { _ = try await shim.create(missing) }
            #expect(
                second?.message.contains("no such file or directory") == true
                    || second?.message.contains("No such file or directory") == true, "\(second?.message ?? "")")
            // The name is free again.
            let again = try pod.request("a", "exit 0")
            _ = try await shim.create(again)
            await #expect(throws: ShimFailure.self) { _ = try await shim.create(again) }
        }
    }

    @Test func `A container that prints a lot loses nothing and blocks nobody`() async throws {
        try await TestPod.use { pod, shim in
            let request = try pod.request("a", "head -c 20000000 /dev/zero | tr '\\0' x; echo; echo end")
            _ = try await shim.create(request)
            try await shim.start(request.id)
            #expect(try await shim.waitForExit(request.id).exitCode == 0)
            let lines = try pod.logLines("a")
            #expect(lines.dropLast().map(\.text.utf8.count).reduce(0, +) == 20_000_000)
            #expect(lines.dropLast(2).allSatisfy { $0.tag == "P" && $0.text.utf8.count == 16_384 })
            #expect(lines.suffix(2).map(\.tag) == ["F", "F"])
            #expect(lines.last?.text == "end")
        }
    }

    @Test func `A container that closes its output lives on`() async throws {
        try await TestPod.use { pod, shim in
            let request = try pod.request("a", "echo before; exec >/dev/null 2>&1; sleep 0.3; exit 3")
            _ = try await shim.create(request)
            try await shim.start(request.id)
            #expect(try await shim.waitForExit(request.id).exitCode == 3)
            #expect(try pod.logLines("a").map(\.text) == ["before"])
        }
    }

    @Test func `What lingers without a pid namespace is killed with the container, and what it wrote is kept`()
        async throws
    {
        try await TestPod.use { pod, shim in
            let request = try pod.request("a", "sleep 1000 & echo last words; exit 5", sharedPIDs: true)
            _ = try await shim.create(request)
            try await shim.start(request.id)
            #expect(try await shim.waitForExit(request.id).exitCode == 5)
            #expect(try pod.logLines("a").map(\.text) == ["last words"])
            try await shim.delete(request.id)
        }
    }

    @Test func `The log goes on in a new file after a rotation`() async throws {
        try await TestPod.use { pod, shim in
            let request = try pod.request("a", "echo one; cat; echo three", stdin: true)
            _ = try await shim.create(request)
            try await shim.start(request.id)
            try await eventually("the first line is there") { try pod.logLines("a").count == 1 }
            #expect(rename("\(pod.logs)/a/0.log", "\(pod.logs)/a/0.log.1") == 0)
            try await shim.reopenLog(request.id)
            try await shim.closeStdin(request.id)
            _ = try await shim.waitForExit(request.id)
            #expect(try pod.logLines("a").map(\.text) == ["three"])
            #expect(try pod.logText("a", file: "0.log.1").hasSuffix("stdout F one\n"))
        }
    }

    @Test func `Out of memory is told`() async throws {
        try await TestPod.use { pod, shim in
            let request = try pod.request(
                "a", "", memoryLimit: 16 << 20,
                program: ["/bin/dd", "if=/dev/zero", "of=/dev/null", "bs=200M", "count=1"])
            _ = try await shim.create(request)
            try await shim.start(request.id)
            let record = try await shim.waitForExit(request.id)
            #expect(record.exitCode == 137)
            #expect(record.oomKilled)
        }
    }

    @Test func `A runtime that hangs is killed at its deadline, and the shim answers others meanwhile`() async throws {
        try await TestPod.use { pod, shim in
            try await shim.shutdown()
            await shim.disconnect()
            let stuck = try pod.scratch.write("stuck", "#!/bin/sh\nexec sleep 1000\n")
            #expect(chmod(stuck, 0o755) == 0)
            let hung = try await ShimConnection.start(pod.launch(runtime: stuck))
            var request = try pod.request("a", "true")
            request.deadlineMilliseconds = 300
            let slow = Task { [request] in try await hung.create(request) }
            _ = try await hung.info()
            let failure = await #expect(throws: ShimFailure.self) { _ = try await slow.value }
            #expect(failure?.code == .deadline)
            #expect(try await hung.info().containers == [])
            await hung.disconnect()
        }
    }
}
