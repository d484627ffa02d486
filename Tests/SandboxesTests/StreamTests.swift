import CRI
import Glibc
import Linux
import SwiftProtobuf
import TestKit
import Testing

@testable import Sandboxes

@Suite("Streams into pods", .serialized, .needs(.root, .overlayfs, .programs, .busybox, .cniPlugins))
struct StreamTests {
    private func pod(
        _ fixture: EngineFixture, _ name: String, _ change: (inout CRIContainerConfig) -> Void = { _ in }
    ) async throws -> (sandbox: String, container: String) {
        let pod = fixture.sandboxConfig(name)
        let sandbox = try await fixture.run(pod)
        var config = fixture.containerConfig("main", ["/bin/sleep", "1000"])
        change(&config)
        let container = try await fixture.create(config, in: sandbox, of: pod)
        try await fixture.start(container)
        return (sandbox, container)
    }

    /// Everything that comes out of a descriptor until `mark` does, or its end.
    private func read(_ descriptor: Int32, until mark: String) async throws -> String {
        var text = ""
        try await eventually("\"\(mark)\" comes") {
            var buffer = [UInt8](repeating: 0, count: 4096)
            var look = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&look, 1, 50) > 0 else { return false }
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count > 0 { text += String(decoding: buffer[..<count], as: UTF8.self) }
            return text.contains(mark) || count == 0
        }
        return text
    }

    private func write(_ descriptor: Int32, _ text: String) {
        var text = text
        text.withUTF8 { _ = Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }

    @Test("a command with pipes reads its input and tells its code")
    func pipes() async throws {
        try await EngineFixture.use { fixture in
            let (sandbox, container) = try await pod(fixture, "pipes")
            var input = try Pipe()
            let output = try Pipe()
            let request = CRIExecRequest.with {
                $0.containerID = container
                $0.cmd = ["/bin/sh", "-c", "read line; echo got $line; exit 4"]
            }
            let (exec, terminal) = try await fixture.engine.startExec(
                request, stdin: input.reading, stdout: output.writing, stderr: nil)
            #expect(terminal == nil)
            let writer = Descriptor(owning: input.takeWriting())
            write(writer.raw, "words\n")
            #expect(try await fixture.engine.waitExec(exec, container: container) == 4)
            #expect(try await read(output.reading, until: "\n") == "got words\n")
            try await fixture.stopAndRemove(sandbox)
        }
    }

    @Test("a command with a terminal has one of the size that was asked, and hangs up with it")
    func terminals() async throws {
        try await EngineFixture.use { fixture in
            let (sandbox, container) = try await pod(fixture, "terminals")
            let request = CRIExecRequest.with {
                $0.containerID = container
                $0.cmd = ["/bin/sh"]
                $0.tty = true
            }
            let (exec, number) = try await fixture.engine.startExec(request, stdin: nil, stdout: nil, stderr: nil)
            let terminal = Descriptor(owning: try #require(number))
            try await fixture.engine.resizeTerminal(container: container, exec: exec, columns: 123, rows: 45)
            write(terminal.raw, "stty size; echo $TERM; exit 6\n")
            let text = try await read(terminal.raw, until: "xterm\r\n")
            #expect(text.contains("45 123"))
            #expect(try await fixture.engine.waitExec(exec, container: container) == 6)
            // The number now belongs to nobody we know: nothing happens.
            try await fixture.engine.resizeTerminal(container: container, exec: exec, columns: 1, rows: 1)
            try await fixture.stopAndRemove(sandbox)
        }
    }

    @Test("an attached client sees what the container prints and feeds its input")
    func attach() async throws {
        try await EngineFixture.use { fixture in
            let (sandbox, container) = try await pod(fixture, "attach") {
                $0.command = ["/bin/sh", "-c", "while read line; do echo heard $line; done; echo over"]
                $0.stdin = true
                $0.stdinOnce = true
            }
            var input = try Pipe()
            var output = try Pipe()
            try await fixture.engine.startAttach(
                CRIAttachRequest.with {
                    $0.containerID = container
                    $0.stdin = true
                    $0.stdout = true
                }, stdin: input.reading, stdout: output.writing, stderr: nil)
            let reader = Descriptor(owning: output.takeReading())
            do {
                let writer = Descriptor(owning: input.takeWriting())
                write(writer.raw, "this\n")
                #expect(try await read(reader.raw, until: "\n") == "heard this\n")
            }
            // Its input was closed with ours.
            #expect(try await read(reader.raw, until: "over\n") == "over\n")
            #expect(try await fixture.exited(container).exitCode == 0)
            let log = try fixture.log("attach", "main")
            #expect(log.contains("stdout F heard this\n") && log.contains("stdout F over\n"))
            try await fixture.stopAndRemove(sandbox)
        }
    }

    @Test("a port on the pod's loopback device is reached from outside; one where nobody listens is refused by name")
    func portForward() async throws {
        try await EngineFixture.use { fixture in
            let (sandbox, container) = try await pod(fixture, "ports") {
                $0.command = ["/bin/sh", "-c", "while true; do echo from the pod | nc -l -p 8123; done"]
            }
            var socket: Int32 = -1
            try await eventually("somebody listens") {
                let failure = await refusal { socket = try await fixture.engine.connect(sandbox: sandbox, port: 8123) }
                #expect(failure == nil || failure?.code == .unavailable)
                return failure == nil
            }
            let connection = Descriptor(owning: socket)
            #expect(try await read(connection.raw, until: "\n") == "from the pod\n")
            let refused = try #require(
                await refusal { _ = try await fixture.engine.connect(sandbox: sandbox, port: 9) })
            #expect(refused.code == .unavailable)
            #expect(refused.message == "pod default/ports: port 9: connect to 127.0.0.1:9: Connection refused")
            _ = container
            try await fixture.stopAndRemove(sandbox)
        }
    }

    @Test("URLs come from the streaming server, and calls without one say so by name")
    func urls() async throws {
        try await EngineFixture.use { fixture in
            let (sandbox, container) = try await pod(fixture, "urls")
            let request = CRIExecRequest.with {
                $0.containerID = String(container.prefix(12))
                $0.cmd = ["/bin/true"]
            }
            let without = await refusal { _ = try await fixture.engine.exec(request) }
            #expect(without == CRIError(.unimplemented, "Exec: this node has no streaming server"))
            await fixture.engine.setStreaming(EchoURLs())
            #expect(try await fixture.engine.exec(request).url == "exec:\(container)")
            let forward = CRIPortForwardRequest.with { $0.podSandboxID = sandbox }
            #expect(try await fixture.engine.portForward(forward).url == "ports:\(sandbox)")
            try await fixture.stopAndRemove(sandbox)
        }
    }

    private struct EchoURLs: StreamingURLs {
        func execURL(_ request: CRIExecRequest) async throws(CRIError) -> String { "exec:\(request.containerID)" }
        func attachURL(_ request: CRIAttachRequest) async throws(CRIError) -> String { "attach:\(request.containerID)" }
        func portForwardURL(_ request: CRIPortForwardRequest) async throws(CRIError) -> String {
            "ports:\(request.podSandboxID)"
        }
    }
}
