import FoundationEssentials
import Glibc
import JSON
import ShimClient
import ShimProtocol
import TestKit
import Testing

@Suite("Exec, attach and terminals", .needs(.root, .programs, .busybox))
struct ExecTests {
    /// A container that stays until it is deleted.
    private func idle(_ pod: TestPod, _ shim: ShimConnection) async throws -> String {
        let request = try pod.request("idle", "", program: ["/bin/sleep", "1000"])
        _ = try await shim.create(request)
        try await shim.start(request.id)
        return request.id
    }

    @Test func `An exec has its own streams and code`() async throws {
        try await TestPod.use { pod, shim in
            let id = try await idle(pod, shim)
            let (input, output, errors) = (try TestPipe(), try TestPipe(), try TestPipe())
            let handle = try await shim.exec(
                pod.exec(id, "e1", "cat; echo bad >&2; exit 9"),
                streams: StreamDescriptors(stdin: input.reading, stdout: output.writing, stderr: errors.writing))
            #expect(handle.pid > 1)
            #expect(handle.terminal == nil)
            output.closeWriting()
            errors.closeWriting()
            #expect(write(input.writing, "hello", 5) == 5)
            input.closeWriting()
            #expect(try await output.read() == "hello")
            #expect(try await errors.read() == "bad\n")
            let record = try await shim.waitForExit(id, exec: "e1")
            #expect(record.exitCode == 9 && record.pid == handle.pid)
            #expect(try await shim.info()[container: id]?.execs.first?.exit == record)
            #expect(try pod.logText("idle") == "")
        }
    }

    @Test func `A container has so many execs at once and no more`() async throws {
        // Checked: without the count one more is begun.
        try await TestPod.use { pod, shim in
            let id = try await idle(pod, shim)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for first in 0..<4 {
                    group.addTask {
                        for number in stride(from: first, to: 256, by: 4) {
                            _ = try await shim.exec(pod.exec(id, "e\(number)", "exec sleep 1000"))
                        }
                    }
                }
                try await group.waitForAll()
            }
            let failure = await #expect(throws: ShimFailure.self) {
                try await shim.exec(pod.exec(id, "more", "exec sleep 1000"))
            }
            #expect(failure?.message.contains("256 execs running: no more at once") == true)
            // One that has ended makes room.
            try await shim.kill(id, exec: "e7", signal: SIGKILL)
            _ = try await shim.waitForExit(id, exec: "e7")
            _ = try await shim.exec(pod.exec(id, "more", "exec sleep 1000"))
        }
    }

    @Test func `Many execs at once end each with its own code`() async throws {
        try await TestPod.use { pod, shim in
            let id = try await idle(pod, shim)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<24 {
                    group.addTask {
                        let output = try TestPipe()
                        _ = try await shim.exec(
                            pod.exec(id, "e\(number)", "echo \(number); exit \(number)"),
                            streams: StreamDescriptors(stdout: output.writing))
                        output.closeWriting()
                        #expect(try await output.read() == "\(number)\n")
                        #expect(try await shim.waitForExit(id, exec: "e\(number)").exitCode == Int32(number))
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func `An exec can be signalled alone`() async throws {
        try await TestPod.use { pod, shim in
            let id = try await idle(pod, shim)
            _ = try await shim.exec(pod.exec(id, "e1", "exec sleep 1000"))
            await #expect(throws: ShimFailure.self) { _ = try await shim.exec(pod.exec(id, "e1", "true")) }
            try await shim.kill(id, exec: "e1", signal: SIGKILL)
            #expect(try await shim.waitForExit(id, exec: "e1").exitCode == 137)
            #expect(try await shim.info()[container: id]?.stage == .running)
            let unknown = await #expect(throws: ShimFailure.self) { try await shim.kill(id, exec: "e2", signal: 9) }
            #expect(unknown?.code == .notFound)
            // The name is free once its process has ended.
            _ = try await shim.exec(pod.exec(id, "e1", "exit 4"))
            #expect(try await shim.waitForExit(id, exec: "e1").exitCode == 4)
        }
    }

    @Test func `An exec that can't be is refused in the runtime's words`() async throws {
        try await TestPod.use { pod, shim in
            let id = try await idle(pod, shim)
            let request = ExecRequest(
                container: id, exec: "e1", process: pod.process(["/bin/no-such-program"]).encoded(pretty: false))
            let failure = await #expect(throws: ShimFailure.self) { _ = try await shim.exec(request) }
            #expect(failure?.code == .runtime)
            #expect(failure?.message.contains("no-such-program") == true, "\(failure?.message ?? "")")
            #expect(try await shim.info()[container: id]?.execs == [])
        }
    }

    @Test func `An exec with a terminal talks through its master, and follows its size`() async throws {
        try await TestPod.use { pod, shim in
            let id = try await idle(pod, shim)
            var request = pod.exec(id, "e1", "stty size; read x; stty size; echo got $x; exit 6", terminal: true)
            request.terminalSize = TerminalSize(columns: 100, rows: 30)
            let handle = try await shim.exec(request)
            let terminal = try #require(handle.terminal)
            #expect(try await readText(terminal.descriptor) { $0.contains("\n") }.hasPrefix("30 100"))
            try terminal.resize(TerminalSize(columns: 132, rows: 43))
            #expect(write(terminal.descriptor, "abc\n", 4) == 4)
            let rest = try await readText(terminal.descriptor) { $0.contains("got") && $0.hasSuffix("\n") }
            #expect(rest.contains("43 132") && rest.contains("got abc"))
            #expect(try await shim.waitForExit(id, exec: "e1").exitCode == 6)
        }
    }

    @Test func `Letting go of the terminal hangs its process up`() async throws {
        try await TestPod.use { pod, shim in
            let id = try await idle(pod, shim)
            do {
                let handle = try await shim.exec(pod.exec(id, "e1", "exec sleep 1000", terminal: true))
                #expect(handle.terminal != nil)
            }
            #expect(try await shim.waitForExit(id, exec: "e1").signal == SIGHUP)
        }
    }

    @Test func `Attached readers see the output, the log too, and the input arrives`() async throws {
        try await TestPod.use { pod, shim in
            let request = try pod.request("a", "cat; echo bye >&2", stdin: true, stdinOnce: true)
            _ = try await shim.create(request)
            let (input, output, errors) = (try TestPipe(), try TestPipe(), try TestPipe())
            try await shim.attach(
                request.id,
                streams: StreamDescriptors(stdin: input.reading, stdout: output.writing, stderr: errors.writing))
            output.closeWriting()
            errors.closeWriting()
            try await shim.start(request.id)
            #expect(write(input.writing, "hello\n", 6) == 6)
            #expect(try await output.read { $0.hasSuffix("\n") } == "hello\n")
            // stdinOnce: the end of this input is the end of the container's.
            input.closeWriting()
            #expect(try await errors.read() == "bye\n")
            #expect(try await output.read() == "")
            #expect(try await shim.waitForExit(request.id).exitCode == 0)
            #expect(try pod.logLines("a").map(\.text) == ["hello", "bye"])
        }
    }

    @Test func `Without stdinOnce the input stays open for the next one`() async throws {
        try await TestPod.use { pod, shim in
            let request = try pod.request("a", "cat", stdin: true)
            _ = try await shim.create(request)
            try await shim.start(request.id)
            for word in ["one\n", "two\n"] {
                let input = try TestPipe()
                try await shim.attach(request.id, streams: StreamDescriptors(stdin: input.reading))
                #expect(write(input.writing, word, 4) == 4)
                input.closeWriting()
                try await eventually("\(word) is echoed") { try pod.logText("a").hasSuffix(word) }
            }
            // Input from a file, too, which epoll can't watch.
            let file = try pod.scratch.write("input", "three\n")
            let descriptor = open(file, O_RDONLY)
            try await shim.attach(request.id, streams: StreamDescriptors(stdin: descriptor))
            close(descriptor)
            try await eventually("the file is echoed") { try pod.logText("a").hasSuffix("three\n") }
            try await shim.closeStdin(request.id)
            #expect(try await shim.waitForExit(request.id).exitCode == 0)
        }
    }

    @Test func `A reader that takes nothing is let go, and the log is whole`() async throws {
        try await TestPod.use { pod, shim in
            let request = try pod.request("a", "head -c 8000000 /dev/zero | tr '\\0' x; echo")
            _ = try await shim.create(request)
            let output = try TestPipe()
            try await shim.attach(request.id, streams: StreamDescriptors(stdout: output.writing))
            output.closeWriting()
            try await shim.start(request.id)
            #expect(try await shim.waitForExit(request.id).exitCode == 0)
            #expect(try pod.logLines("a").map(\.text.utf8.count).reduce(0, +) == 8_000_000)
            // What was in the pipe, and then the end.
            #expect(try await output.read().utf8.count < 8_000_000)
        }
    }

    @Test func `A container's terminal goes to its log and to those who are attached`() async throws {
        try await TestPod.use { pod, shim in
            var request = try pod.request("a", "stty size; read x; echo got $x; stty size; exit 5", terminal: true)
            request.terminalSize = TerminalSize(columns: 90, rows: 20)
            _ = try await shim.create(request)
            let (input, output) = (try TestPipe(), try TestPipe())
            try await shim.attach(
                request.id, streams: StreamDescriptors(stdin: input.reading, stdout: output.writing))
            output.closeWriting()
            try await shim.start(request.id)
            _ = try await output.read { $0.contains("20 90") }
            try await shim.resize(request.id, TerminalSize(columns: 50, rows: 10))
            #expect(write(input.writing, "abc\n", 4) == 4)
            let rest = try await output.read()
            #expect(rest.contains("got abc") && rest.contains("10 50"))
            #expect(try await shim.waitForExit(request.id).exitCode == 5)
            let log = try pod.logLines("a")
            #expect(log.allSatisfy { $0.stream == "stdout" })
            #expect(log.contains { $0.text.hasPrefix("got abc") })
        }
    }

    @Test func `A terminal's stuck reader holds the container up for a bounded time only`() async throws {
        try await TestPod.use { pod, shim in
            let request = try pod.request("a", "head -c 2000000 /dev/zero | tr '\\0' x; echo; exit 0", terminal: true)
            _ = try await shim.create(request)
            let output = try TestPipe()
            try await shim.attach(request.id, streams: StreamDescriptors(stdout: output.writing))
            output.closeWriting()
            try await shim.start(request.id)
            #expect(try await shim.waitForExit(request.id).exitCode == 0)
            #expect(
                try pod.logLines("a").map { $0.text.utf8.filter { $0 == UInt8(ascii: "x") }.count }.reduce(0, +)
                    == 2_000_000)
        }
    }
}
