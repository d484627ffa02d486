import Logging
import Node
import Synchronization
import Testing

@Suite("The node's log") struct LineLogTests {
    private func lines(_ log: (Logger) -> Void) -> String {
        let box = Box()
        log(Logger(label: "test") { _ in LineLog { text in box.text.withLock { $0 += text } } })
        return box.text.withLock { $0 }
    }

    private final class Box: Sendable { let text = Mutex("") }

    @Test func `an event is one line, with what it is about behind it`() {
        let text = lines { $0.notice("the node is up", metadata: ["root": "/srv/a", "count": "3", "none": ""]) }
        #expect(
            text.contains(
                /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z notice the node is up count=3 none="" root=\/srv\/a\n$/))
    }

    @Test func `nothing that a stranger has named ends the line or moves the cursor`() {
        let text = lines { $0.error("refused", metadata: ["file": "new\nline \"x\"\u{1b}[31m\u{202e}.yaml"]) }
        #expect(text.hasSuffix(#"refused file="new\nline \"x\"\u{1b}[31m\u{202e}.yaml""# + "\n"))
        #expect(text.filter { $0 == "\n" }.count == 1)
    }
}
