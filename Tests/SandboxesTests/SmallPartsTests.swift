import CRI
import Glibc
import Synchronization
import TestKit
import Testing

@testable import Sandboxes

@Suite("Small parts of the engine")
struct SmallPartsTests {
    @Test("stop signals come as names, numbers and real-time offsets; the config's wins over the image's")
    func stopSignals() {
        let cases: [(String, Int32?)] = [
            ("SIGTERM", 15), ("term", 15), ("9", 9), ("SIGRTMIN+3", 37), ("RTMAX-1", 63), ("SIGRTMIN", 34),
            ("0", nil), ("65", nil), ("SIGFOO", nil), ("", nil), ("SIGRTMIN+99", nil),
        ]
        for (text, number) in cases { #expect(StopSignal.number(text) == number, "\(text)") }
        #expect(StopSignal.choose(config: .sigquit, image: "SIGUSR1") == SIGQUIT)
        #expect(StopSignal.choose(config: .runtimeDefault, image: "SIGUSR1") == SIGUSR1)
        #expect(StopSignal.choose(config: .runtimeDefault, image: "nonsense") == SIGTERM)
        for signal in CRISignal.allCases {
            guard let number = StopSignal.number(signal) else { continue }
            // Names that share a number come back as one of them.
            #expect(StopSignal.number(StopSignal.criSignal(number)) == number, "\(signal)")
        }
        #expect(StopSignal.criSignal(SIGTERM) == .sigterm && StopSignal.criSignal(34) == .sigrtmin)
        #expect(StopSignal.criSignal(64) == .sigrtmax)
    }

    @Test("ids are 64 hexadecimal digits and nothing else")
    func ids() {
        let id = SandboxID()
        #expect(SandboxID(id.text) == id && id.text.count == 64 && SandboxID() != id)
        for text in ["", "abc", String(repeating: "g", count: 64), String(repeating: "A", count: 64), "../" + id.text] {
            #expect(ContainerID(text) == nil)
        }
    }

    @Test("paths are cleaned as they read inside a root of their own")
    func paths() {
        for (text, clean) in [
            ("", "/"), ("a/b", "/a/b"), ("/../../etc", "/etc"), ("/a//b/./c/..", "/a/b"), ("..", "/"),
        ] {
            #expect(ProcessPlan.cleanPath(text) == clean)
        }
    }

    @Test("a turnstile lets one through at a time, in order, and lets go of the cancelled")
    func turnstile() async throws {
        let turnstile = Turnstile()
        let latch = Latch()
        let entered = Latch()
        let inside = Task {
            try await turnstile.pass {
                entered.open()
                try await latch.wait()
            }
        }
        try await entered.wait()
        let cancelled = Task { try await turnstile.pass { Issue.record("the cancelled got through") } }
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        latch.open()
        try await inside.value
        try await turnstile.pass {}
    }

    @Test("a deadline ends the wait for work that ignores its cancellation, and names the step")
    func deadline() async throws {
        let never = Latch()
        do {
            try await withDeadline(.milliseconds(20), step: "mount /x") {
                await Task { try? await never.wait() }.value
            }
            Issue.record("it ended")
        } catch let error as CRIError {
            #expect(error.code == .deadlineExceeded && error.message.hasPrefix("mount /x: not done within"))
        }
        never.open()
        #expect(try await withDeadline(.seconds(30), step: "quick") { 7 } == 7)
    }

    @Test("a subscriber who reads nothing is cut off with an error, the others go on")
    func eventQueues() async throws {
        let hub = EventHub()
        let slow = hub.subscribe()
        for index in 0...EventHub.queueLength {
            var event = CRIContainerEventResponse()
            event.createdAt = Int64(index)
            hub.send(event)
        }
        #expect(!hub.hasSubscribers)
        var seen = 0
        do {
            for try await _ in slow { seen += 1 }
            Issue.record("it ended without an error")
        } catch let error as CRIError {
            #expect(error.code == .resourceExhausted)
        }
        #expect(seen == EventHub.queueLength)
    }

    @Test("a second caller joins the first; who goes away is let go at once, and the other still gets it")
    func flights() async throws {
        let latch = Latch()
        let flight = Flight("it") {
            try await latch.wait()
            return 5
        }
        let first = Task { try await flight.value() }
        let second = Task { try await flight.value() }
        try await eventually("both wait") { flight.callers == 2 }
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        latch.open()
        #expect(try await second.value == 5)
        #expect(try await flight.value() == 5)
    }

    @Test("work is cancelled when all have gone; the last one waits for the undoing, and who comes then is sent away")
    func abandonedFlight() async throws {
        let (begun, undone) = (Latch(), Latch())
        let flight = Flight("it") {
            begun.open()
            try? await Latch().wait()
            // The undoing takes its time, whatever became of the caller.
            await Task { try? await undone.wait() }.value
            throw CancellationError()
        }
        let only = Task { try await flight.value() }
        try await begun.wait()
        // Who asks too early, joins it and is a caller like any other.
        try await eventually("one waits") { flight.callers == 1 }
        only.cancel()
        try await eventually("it is given up") { flight.isAbandoned }
        #expect(try await flight.value() == nil)
        #expect(!flight.over.isOpen)
        undone.open()
        await #expect(throws: CancellationError.self) { try await only.value }
        try await flight.over.wait()
    }

    @Test("work that doesn't end with its callers goes on without them")
    func lastingFlight() async throws {
        let latch = Latch()
        let flight = Flight("it", endsWithCallers: false) {
            try await latch.wait()
            return 5
        }
        let only = Task { try await flight.value() }
        try await eventually("it waits") { flight.callers == 1 }
        only.cancel()
        await #expect(throws: CancellationError.self) { try await only.value }
        latch.open()
        try await flight.over.wait()
        #expect(try await flight.value() == 5)
    }

    @Test(
        "a lane that hangs takes its own threads and no others; what is too much for it is refused",
        .timeLimit(.minutes(1)))
    func lanes() async throws {
        // Checked: without a lane's limit of threads it has all sixteen, and the others wait until the test's time is up;
        // without its limit of work nothing is refused.
        let threads = BlockingThreads(name: "test", most: 16, mostInLane: 2, mostInCommon: 4)
        let gate = Gate()
        for _ in 0..<40 { #expect(threads.add("hung") { gate.wait() }) }
        for lane in ["other", ""] {
            for _ in 0..<3 {
                await withCheckedContinuation { done in _ = threads.add(lane) { done.resume() } }
            }
        }
        #expect(gate.arrived == 2)
        #expect((0..<1000).contains { _ in !threads.add("hung") { gate.wait() } })
        gate.open()
        await withCheckedContinuation { done in
            while !threads.add("hung", { done.resume() }) { sched_yield() }
        }
    }

    @Test("a shim's command line tells its sandbox, if its directory is one of ours")
    func shimCommandLines() {
        let id = SandboxID()
        func line(_ words: [String]) -> [UInt8] { Array(words.joined(separator: "\0").utf8) + [0] }
        let words = [
            "/bin/kubesim-shim", "start", "--id", id.text, "--dir", "/s/sandboxes/\(id.text)/shim", "--runtime", "/r",
        ]
        #expect(StrayShims.sandbox(commandLine: line(words), below: "/s/sandboxes") == id)
        #expect(StrayShims.sandbox(commandLine: line(words), below: "/other/sandboxes") == nil)
        #expect(StrayShims.sandbox(commandLine: line(["sleep", "start", "--dir"]), below: "/s/sandboxes") == nil)
    }

    @Test("interface counters are read from the kernel's table")
    func interfaces() {
        let text = """
            Inter-|   Receive                                                |  Transmit
             face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
                lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
              eth0:    1234      10    1    3    0     0          0         0     5678      12    2    4    0     0       0          0
            """
        #expect(
            InterfaceCounters.parse(text).last
                == InterfaceCounters(
                    name: "eth0",
                    received: InterfaceCounters.Way(bytes: 1234, packets: 10, errors: 1, dropped: 3),
                    sent: InterfaceCounters.Way(bytes: 5678, packets: 12, errors: 2, dropped: 4)))
    }

    @Test("a rate needs two looks that are not too close")
    func rates() {
        let first = CPUSample.next(nil, usage: 1000, now: 0)
        let close = CPUSample.next(first, usage: 2000, now: 1_000_000)
        #expect(close.nanoseconds == 0)
        let later = CPUSample.next(first, usage: 500_001_000, now: 1_000_000_000)
        #expect(later.rate == 500_000_000)
    }
}

/// Something that threads wait at.
private final class Gate: Sendable {
    private let count = Atomic(0)
    private let isOpen = Atomic(false)

    var arrived: Int { count.load(ordering: .sequentiallyConsistent) }

    func wait() {
        count.wrappingAdd(1, ordering: .sequentiallyConsistent)
        while !isOpen.load(ordering: .sequentiallyConsistent) { usleep(1000) }
    }

    func open() { isOpen.store(true, ordering: .sequentiallyConsistent) }
}
