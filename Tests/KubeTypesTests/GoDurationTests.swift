import KubeTypes
import Testing

@Suite struct GoDurationTests {
    @Test(arguments: [
        ("0", "0s"), ("300ms", "300ms"), ("1h30m", "1h30m0s"), ("-1.5h", "-1h30m0s"), ("1.5s", "1.5s"),
        ("90s", "1m30s"),
        ("1us", "1µs"), ("1500µs", "1.5ms"), ("7ns", "7ns"), (".5s", "500ms"), ("1m.5s", "1m0.5s"), ("24h", "24h0m0s"),
    ])
    func `a duration is read and printed as Go does`(text: String, canonical: String) throws {
        #expect(GoDuration.text(try #require(GoDuration.parse(text))) == canonical)
    }

    @Test(arguments: [
        "", "-", "1", "s", "1x", "1 s", "1h ", "--1s", "99999999999999999999h", "300000h300000h300000000h", ".s",
    ])
    func `what is no duration is refused`(text: String) {
        #expect(GoDuration.parse(text) == nil)
    }
}
