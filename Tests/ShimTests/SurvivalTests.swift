import FoundationEssentials
import Glibc
import Linux
import ShimClient
import ShimProtocol
import TestKit
import Testing

@Suite("A shim outlives its clients", .needs(.root, .programs, .busybox))
struct SurvivalTests {
    @Test func `An exit that nobody saw is told to the next client`() async throws {
        try await TestPod.use { pod, shim in
            let request = try pod.request("a", "sleep 0.2; echo alone; exit 12")
            _ = try await shim.create(request)
            try await shim.start(request.id)
            await shim.disconnect()
            let path = "\(pod.directory)/\(request.id).exit"
            try await eventually("the exit record is written") { access(path, F_OK) == 0 }
            let again = try await ShimConnection.connect(directory: pod.directory)
            #expect(try await again.info()[container: request.id]?.exit?.exitCode == 12)
            #expect(try await again.waitForExit(request.id).exitCode == 12)
            #expect(try pod.logLines("a").map(\.text) == ["alone"])
        }
    }

    @Test func `Events come in order to every client, and end with the connection`() async throws {
        try await TestPod.use { pod, shim in
            let second = try await ShimConnection.connect(directory: pod.directory)
            let request = try pod.request("a", "exit 1")
            _ = try await shim.create(request)
            try await shim.start(request.id)
            _ = try await second.waitForExit(request.id)
            try await shim.delete(request.id)
            await second.disconnect()
            var heard: [ShimEvent] = []
            for await event in second.events { heard.append(event) }
            guard case .exited(request.id, nil, let record) = heard.first else {
                Issue.record("\(heard)")
                return
            }
            #expect(record.exitCode == 1)
            #expect(heard.dropFirst() == [.disconnected])
            let failure = await #expect(throws: ShimFailure.self) { _ = try await second.info() }
            #expect(failure?.code == .disconnected)
        }
    }

    @Test func `A client killed at any moment costs nothing: the container runs on, its exit is kept`() async throws {
        try await TestPod.use { pod, shim in
            for round in 0..<12 {
                let request = try pod.request("r\(round)", "echo \(round); exit \(round)")
                let client = try await ShimConnection.connect(directory: pod.directory)
                // The client dies somewhere between its request and the answer.
                let work = Task {
                    _ = try await client.create(request)
                    try await client.start(request.id)
                }
                try await Task.sleep(for: .milliseconds(Int.random(in: 0..<60)))
                await client.disconnect()
                _ = await work.result
                // What the next one finds decides what is left to do, as the agent's recovery does.
                try await eventually("the shim has finished what it was asked") {
                    try await shim.info()[container: request.id]?.stage != .creating
                }
                if try await shim.info()[container: request.id] == nil { _ = try await shim.create(request) }
                if try await shim.info()[container: request.id]?.stage == .created {
                    // It may be starting this very moment: then there is nothing left to do.
                    try? await shim.start(request.id)
                }
                #expect(try await shim.waitForExit(request.id).exitCode == Int32(round))
                #expect(try pod.logLines("r\(round)").map(\.text) == ["\(round)"])
                try await shim.delete(request.id)
            }
        }
    }

    @Test func `When the shim dies, all that wait are told`() async throws {
        try await Scratch.use(in: "/tmp") { scratch in
            let directory = try scratch.directory("shim", mode: 0o700)
            let shim = try await ShimConnection.start(
                ShimLaunch(
                    program: Binaries.path("kubesim-shim"), sandbox: "doomed", directory: directory,
                    runtime: "/bin/false", runtimeRoot: scratch.file("runtime")))
            let pid = try await shim.info().pid
            #expect(Glibc.kill(pid, SIGKILL) == 0)
            var last: ShimEvent?
            for await event in shim.events { last = event }
            #expect(last == .disconnected)
            let failure = await #expect(throws: ShimFailure.self) { _ = try await shim.info() }
            #expect(failure?.code == .disconnected)
            #expect(failure?.message.contains(directory) == true)
            // A dead shim's socket is no obstacle.
            let next = try await ShimConnection.start(
                ShimLaunch(
                    program: Binaries.path("kubesim-shim"), sandbox: "doomed", directory: directory,
                    runtime: "/bin/false", runtimeRoot: scratch.file("runtime")))
            try await next.shutdown()
            try await eventually("the shim is gone") { ProcessTable.mentioning(scratch.path).isEmpty }
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == [])
        }
    }

    @Test func `A shim that is stopped answers late, and the client doesn't wait for ever`() async throws {
        try await TestPod.use { pod, shim in
            let pid = try #require(pod.shimPID)
            #expect(Glibc.kill(pid, SIGSTOP) == 0)
            let failure = await #expect(throws: ShimFailure.self) {
                try await shim.kill("nobody", signal: 9, all: true, deadline: .milliseconds(-14_800))
            }
            #expect(failure?.code == .noAnswer)
            #expect(Glibc.kill(pid, SIGCONT) == 0)
            #expect(try await shim.info().pid == pid)
        }
    }

    @Test func `A client that never reads is let go, the others are served`() async throws {
        try await TestPod.use { pod, shim in
            let lazy = try UnixSocket.connect(to: pod.directory + "/shim.sock", .sequencedPacket)
            let ask = Array(#"{"id":1,"verb":"info"}"#.utf8)
            var sent = 0
            // The shim's answers fill the socket, then its queue; then it hangs up.
            try await eventually("the shim hangs up") {
                do throws(SystemError) {
                    while true {
                        try lazy.send(ask, nonBlocking: true)
                        sent += 1
                    }
                } catch {
                    return error.errno != .again
                }
            }
            #expect(sent > 1000)
            #expect(try await shim.info().sandbox == pod.id)
        }
    }

    @Test func `Nonsense on the socket ends that connection only`() async throws {
        try await TestPod.use { pod, shim in
            for text in ["nonsense", #"{"id":1,"verb":"create","container":"../../etc"}"#, "\0\0\0"] {
                let odd = try UnixSocket.connect(to: pod.directory + "/shim.sock", .sequencedPacket)
                try odd.send(Array(text.utf8))
                let answer = try odd.receive(limit: 4096)
                #expect(String(decoding: answer.bytes, as: UTF8.self).contains(#""error":"invalid""#))
                #expect(try odd.receive(limit: 4096).bytes.isEmpty)
            }
            #expect(try await shim.info().containers == [])
        }
    }
}
