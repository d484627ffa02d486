import CRI
import Glibc
import Synchronization
import TestKit
import Testing

@testable import CRICtl

@Suite("crictl logs", .serialized)
struct LogTests {
    static let text = """
        2026-05-01T12:00:00.000000001Z stdout F one
        2026-05-01T12:00:01.000000001Z stderr F oops
        2026-05-01T12:00:02.5Z stdout P two 
        2026-05-01T12:00:03.000000001Z stdout F halves
        this is no log line
        2026-05-01T12:00:04.000000001Z stdout F last

        """

    static func prepare(_ fixture: Fixture, state: CRIContainerState = .containerExited) throws -> String {
        let path = try fixture.scratch.write("1.log", text)
        try fixture.scratch.write("0.log", "2026-05-01T11:00:00.000000001Z stdout F before\n")
        var status = CRIContainerStatusResponse()
        status.status.id = "c1"
        status.status.state = state
        status.status.logPath = path
        status.status.metadata.attempt = 1
        fixture.runtime.answer("containerStatus", status)
        return path
    }

    @Test("lines go where the container wrote them, and split lines are joined") func plain() async throws {
        try await Fixture.use { fixture in
            _ = try Self.prepare(fixture)
            let printed = try await fixture.crictl("logs", "c1")
            #expect(printed.output == "one\ntwo halves\nlast\n")
            #expect(printed.errors.hasPrefix("oops\nFailed when parsing line in log file"))
            #expect(try await fixture.crictl("logs", "-s", "stderr", "c1").output == "")
        }
    }

    @Test("--timestamps, --tail, --since, --limit-bytes and -p") func options() async throws {
        try await Fixture.use { fixture in
            _ = try Self.prepare(fixture)
            #expect(
                try await fixture.crictl("logs", "-t", "--since", "2026-05-01T12:00:02Z", "c1").output == """
                    2026-05-01T12:00:02.500000000Z two halves
                    2026-05-01T12:00:04.000000001Z last

                    """)
            #expect(try await fixture.crictl("logs", "--tail", "1", "c1").output == "last\n")
            #expect(try await fixture.crictl("logs", "--tail", "3", "c1").output == "halves\nlast\n")
            #expect(try await fixture.crictl("logs", "--tail", "100", "c1").output == "one\ntwo halves\nlast\n")
            #expect(try await fixture.crictl("logs", "--tail", "0", "c1").output == "")
            #expect(try await fixture.crictl("logs", "--limit-bytes", "6", "c1").output == "one\n")
            #expect(try await fixture.crictl("logs", "-p", "c1").output == "before\n")
            let wrong = try await fixture.crictl("logs", "--since", "last week", "c1")
            #expect(wrong.failure?.hasPrefix("--since: \"last week\" is neither") == true)
        }
    }

    @Test("-f misses no file when the log is rotated more often than it looks") func successors() async throws {
        try await Fixture.use { fixture in
            let names = ["0.log.20260501-120000", "0.log.20260501-120000.0001", "0.log.20260501-120001", "0.log"]
            for (name, text) in zip(names, ["one", "two", "three", "four"]) { try fixture.scratch.write(name, text) }
            // Neither of these is read.
            try fixture.scratch.write("0.log.20260501-110000.gz", "old")
            try fixture.scratch.write("0.log.1", "other")
            rename(fixture.scratch.file("0.log.20260501-120000"), fixture.scratch.file("0.log.new"))
            rename(fixture.scratch.file("0.log"), fixture.scratch.file("0.log.last"))
            rename(fixture.scratch.file("0.log.new"), fixture.scratch.file("0.log"))
            var file = try LogFile(fixture.scratch.file("0.log"))
            rename(fixture.scratch.file("0.log"), fixture.scratch.file("0.log.20260501-120000"))
            rename(fixture.scratch.file("0.log.last"), fixture.scratch.file("0.log"))
            var read: [String] = []
            while true {
                try file.readLines(final: true) { bytes in
                    read.append(String(decoding: bytes, as: UTF8.self))
                    return true
                }
                guard file.wasReplaced, let next = file.successor() else { break }
                file = next
            }
            #expect(read == ["one", "two", "three", "four"])
        }
    }

    @Test("-f shows what is added, across a rotation, until the container ends", .timeLimit(.minutes(1)))
    func follow() async throws {
        try await Fixture.use { fixture in
            let path = try Self.prepare(fixture, state: .containerRunning)
            let (gate, events) = AsyncStream.makeStream(of: (any Sendable).self)
            fixture.runtime.state.withLock {
                $0.streams["getContainerEvents"] = []
                $0.gates["getContainerEvents"] = gate
            }
            async let printed = fixture.crictl("logs", "-f", "--tail", "1", "c1")
            try await eventually("the follower asks whether the container runs") {
                fixture.runtime.calls.filter { $0 == "containerStatus" }.count >= 2
            }
            let writer = fopen(path, "a")
            fputs("2026-05-01T12:00:05.000000001Z stdout F added\n", writer)
            fclose(writer)
            rename(path, path + ".1")
            try fixture.scratch.write("1.log", "2026-05-01T12:00:06.000000001Z stdout F rotated\n")
            let late = fopen(path, "a")
            fputs("2026-05-01T12:00:07.000000001Z stdout F end\n", late)
            fclose(late)
            var stopped = CRIContainerEventResponse()
            stopped.containerID = "c1"
            stopped.containerEventType = .containerStoppedEvent
            events.yield(stopped)
            #expect(try await printed.output == "last\nadded\nrotated\nend\n")
            events.finish()
        }
    }
}
