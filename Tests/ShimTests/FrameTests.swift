import JSON
import ShimProtocol
import Testing

@Suite("Frames between a shim and its clients")
struct FrameTests {
    @Test(arguments: [
        Request.info(after: nil), .info(after: "c1"), .subscribe, .shutdown,
        .create(
            CreateRequest(
                id: "c1", bundle: "/run/b \"x\"", log: LogPlace(directory: "/var/log/pods/a_b_c", path: "web/0.log"),
                terminal: true, terminalSize: TerminalSize(columns: 80, rows: 24), stdin: true, stdinOnce: true,
                privatePIDNamespace: false, runtimeArguments: ["--no-pivot"], deadlineMilliseconds: 5)),
        .create(CreateRequest(id: "c1", bundle: "/b")),
        .create(
            CreateRequest(
                id: "c1", bundle: "/b",
                log: LogPlace(directory: "/l", path: "0.log", limit: LogLimit(fileBytes: 10 << 20, files: 5)))),
        .start(container: "c1", deadlineMilliseconds: 1), .closeStdin(container: "c1"), .reopenLog(container: "c1"),
        .kill(KillRequest(container: "c1", exec: "e1", signal: 15)),
        .kill(KillRequest(container: "c1", signal: 9, all: true)),
        .delete(container: "c1", force: true, deadlineMilliseconds: 9),
        .exec(
            ExecRequest(
                container: "c1", exec: "e1", process: [], terminal: true,
                terminalSize: TerminalSize(columns: 1, rows: 2)), streams: []),
        .exec(ExecRequest(container: "c1", exec: "e1", process: []), streams: [.stdin, .stderr]),
        .attach(container: "c1", streams: [.stdout]), .resize(container: "c1", TerminalSize(columns: 3, rows: 4)),
    ])
    func `A request is read as it was written`(request: Request) throws {
        let frame = RequestFrame(id: 18_446_744_073_709_551_615, request: request)
        #expect(try RequestFrame.read(frame.encoded()) == frame)
    }

    @Test(arguments: [
        ShimFrame.reply(id: 1, Reply()), .reply(id: 2, Reply(pid: 7)),
        .failure(id: 3, ShimFailure(.runtime, "exec: \"x\": not found")),
        .event(.oom(container: "c1")), .event(.disconnected),
        .event(.outputLost(container: "c1", reason: "write 0.log: No space left on device")),
        .event(
            .exited(
                container: "c1", exec: "e1",
                ExitRecord(pid: 5, exitCode: 137, signal: 9, finishedAtNanoseconds: 1_475_713_029_669_794_202))),
        .reply(
            id: 4,
            Reply(
                info: ShimInfo(
                    sandbox: "s", pid: 3, version: "1", networkNamespace: "/run/netns/x",
                    containers: [
                        ContainerInfo(
                            id: "c", stage: .exited, pid: 4, createdAtNanoseconds: 1, startedAtNanoseconds: 2,
                            exit: ExitRecord(
                                pid: 4, exitCode: 1, signal: 0, finishedAtNanoseconds: 3, oomKilled: true),
                            lostLogBytes: 9, execs: [ExecInfo(id: "e", pid: 6)])
                    ]), more: true)),
    ])
    func `What a shim sends is read as it was written`(frame: ShimFrame) throws {
        #expect(try ShimFrame.read(frame.encoded()) == frame)
    }

    @Test func `The words on the wire are these`() {
        let frame = RequestFrame(id: 7, request: .start(container: "c1", deadlineMilliseconds: 60_000))
        #expect(
            String(decoding: frame.encoded(), as: UTF8.self)
                == #"{"id":7,"verb":"start","container":"c1","deadlineMilliseconds":60000}"#)
        let event = ShimFrame.event(
            .exited(
                container: "c1", exec: nil,
                ExitRecord(pid: 42, exitCode: 143, signal: 15, finishedAtNanoseconds: 1_000_000_001)))
        #expect(
            String(decoding: event.encoded(), as: UTF8.self)
                == #"{"event":"exited","container":"c1","exit":{"pid":42,"exitCode":143,"signal":15,"finishedAt":1000000001,"oomKilled":false}}"#
        )
    }

    @Test func `Members that are not known are passed over, so that an older shim stays in reach`() throws {
        let frame = try RequestFrame.read(Array(#"{"id":1,"new":{"a":[1]},"verb":"info"}"#.utf8))
        #expect(frame == RequestFrame(id: 1, request: .info(after: nil)))
    }

    @Test(arguments: [
        #"{"id":1}"#, #"{"id":1,"verb":"dance"}"#, #"{"id":1,"verb":"start"}"#,
        #"{"id":1,"verb":"start","container":"../x"}"#, #"{"id":1,"verb":"start","container":""}"#,
        #"{"id":1,"verb":"start","container":"a/b"}"#, #"{"id":1,"verb":"create","container":"c"}"#,
        #"{"id":1,"verb":"kill","container":"c"}"#, #"{"id":1,"verb":"kill","container":"c","signal":65}"#,
        #"{"id":1,"verb":"kill","container":"c","signal":0}"#, #"{"id":1,"verb":"exec","container":"c","exec":".."}"#,
        #"{"id":1,"verb":"resize","container":"c"}"#,
        #"{"id":1,"verb":"resize","container":"c","size":{"columns":70000,"rows":1}}"#, "[]", "", "{",
    ])
    func `A request that is malformed is refused`(text: String) {
        #expect(throws: JSONError.self) { try RequestFrame.read(Array(text.utf8)) }
    }

    @Test func `Ids name files, so only harmless ones are ids`() {
        for id in ["a", "A-1_b.c+d", String(repeating: "a", count: 128)] { #expect(ShimLimits.isValidID(id)) }
        for id in ["", ".", "..", "a/b", "a b", "ä", "a\n", String(repeating: "a", count: 129)] {
            #expect(!ShimLimits.isValidID(id))
        }
    }
}
