import Testing

@testable import Shim

@Suite("What an OCI runtime says")
struct RuntimeLogTests {
    private func message(_ text: String) -> String? { RuntimeLog.message(Array(text.utf8)) }

    @Test func `The last error of the log is the message`() {
        let log = """
            {"level":"warning","msg":"odd","time":"t"}
            {"level":"error","msg":"first","time":"t"}
            {"level":"error","msg":"exec: \\"nope\\": not found","time":"t"}
            {"level":"info","msg":"bye","time":"t"}
            """
        #expect(message(log) == "exec: \"nope\": not found")
    }

    @Test func `Plain text counts where the log says nothing`() {
        #expect(message("{\"level\":\"info\",\"msg\":\"hi\"}\nsegfault somewhere\n\n") == "segfault somewhere")
        #expect(message("panic: x\n{\"level\":\"error\",\"msg\":\"real\"}\nnoise\n") == "real")
    }

    @Test func `Silence is nil`() {
        #expect(message("") == nil)
        #expect(message("\n \n") == nil)
        #expect(message("{\"level\":\"debug\",\"msg\":\"x\"}\n") == nil)
    }

    @Test func `A message is one line of a bounded length, whatever a bundle made of it`() {
        #expect(message("{\"level\":\"error\",\"msg\":\" a\\nb\\u001b[31m \"}") == "a b [31m")
        #expect(message(String(repeating: "x", count: 100_000))?.utf8.count == 2048)
    }
}
