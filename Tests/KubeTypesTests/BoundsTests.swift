import KubeTypes
import Testing

@Suite struct BoundsTests {
    @Test func `a file that is too large is refused unread`() {
        let text = "# " + String(repeating: "a", count: 1 << 20)
        #expect(refusal(text) == ["web.yaml:1:1: has 1048578 bytes, more than the 1048576 allowed"])
    }

    @Test(arguments: [
        "a: " + String(repeating: "[", count: 200_000),
        "a: " + String(repeating: "[", count: 500) + String(repeating: "]", count: 500),
        String(repeating: "{a: ", count: 900) + "1" + String(repeating: "}", count: 900),
        "{\"a\":" + String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000) + "}",
        (0..<900).map { String(repeating: " ", count: $0) + "a:\n" }.joined(),
        "a: " + String(repeating: "- ", count: 100_000),
        String(repeating: "? ", count: 100_000),
        String(repeating: "!", count: 100_000),
        String(repeating: "&a ", count: 100_000),
        "a: \"" + String(repeating: "\\x", count: 100_000),
    ])
    func `deep and endless texts are refused`(text: String) {
        #expect(!refusal(text).isEmpty)
    }

    @Test func `a document with too many values is refused`() {
        let text = "a: [" + String(repeating: "0,", count: 300_000) + "]"
        #expect(refusal(text).first?.contains("more than 200000 values") == true)
        let json = "{\"a\": [" + String(repeating: "0,", count: 300_000) + "0]}"
        #expect(refusal(json).first?.contains("more than 200000 values") == true)
    }

    @Test func `one long line and maps with many keys take no longer than short ones`() {
        let keys = (0..<40_000).map { "\"-k\($0)\": \"\"" }.joined(separator: ", ")
        let text = "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"a\", \"labels\": {\(keys)}}}"
        let unknown = (0..<40_000).map { "\"x\($0)\": 1" }.joined(separator: ", ")
        let clock = ContinuousClock()
        let time = clock.measure {
            #expect(refusal(text).count == 65)
            #expect(refusal("{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \(unknown)}").count == 65)
        }
        #expect(time < .seconds(60))
    }

    @Test func `too many documents are refused`() {
        let text = String(repeating: "a\n---\n", count: 1000)
        #expect(refusal(text).isEmpty == false)
        #expect(read(text).count <= 513)
    }

    @Test(arguments: ["- *L", "  k#: *L", "  ? *L\n  : 1", "  *L : 1", "  ? [*L]\n  : 1", "  {[*L]: 1}: 1"])
    func `aliases that multiply are refused quickly`(use: String) {
        let clock = ContinuousClock()
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...30 {
            let references = (0..<9).map { use.replacing("L", with: "a\(level - 1)").replacing("#", with: "\($0)") }
            text += "a\(level): &a\(level)\n" + references.joined(separator: "\n") + "\n"
        }
        let time = clock.measure { #expect(!refusal(text).isEmpty) }
        #expect(time < .seconds(60))
    }

    @Test(arguments: [
        "{*a9: 1}", "{*a9, b}", "[*a9: 1]", "? *a9", "{? *a9}", "*a9 : x", "{[*a9]: 1}", "{{x: *a9}: 1}",
        "? - *a9\n: x",
        "? x: *a9\n: x", "{?*a9: x}", "{\"x\":*a9, *a8 : 1}", "- *a9 : x",
    ])
    func `an alias that multiplies is refused as a key`(use: String) {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            text += "a\(level): &a\(level) [\((0..<9).map { _ in "*a\(level - 1)" }.joined(separator: ", "))]\n"
        }
        let clock = ContinuousClock()
        let time = clock.measure {
            #expect(!refusal(text + "b:\n  " + use.replacing("\n", with: "\n  ") + "\n").isEmpty)
        }
        #expect(time < .seconds(60))
    }

    @Test func `many aliases as values are fine`() throws {
        var text = manifest(container: "env: &env [{name: A, value: b}]\nresources: &resources {limits: {cpu: 1}}")
        for index in 0..<60 { text += "  - {name: c\(index), image: a, env: *env, resources: *resources}\n" }
        #expect(try pod(text).pod.spec.containers.count == 61)
    }
}
