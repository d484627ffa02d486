import KubeTypes
import Testing

@Suite struct TimeTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (1_700_000_000, "2023-11-14T22:13:20Z"),
        (-1, "1969-12-31T23:59:59Z"), (4_102_444_799, "2099-12-31T23:59:59Z"),
    ])
    func `a time prints as RFC 3339 and reads back`(seconds: Int64, text: String) {
        #expect(Time(secondsSinceEpoch: seconds).description == text)
        #expect(Time(text)?.secondsSinceEpoch == seconds)
    }

    @Test func `offsets and fractions are understood`() {
        #expect(Time("2023-11-14T23:13:20.123456789+01:00")?.secondsSinceEpoch == 1_700_000_000)
        #expect(Time("2023-11-14T21:13:20-01:00")?.secondsSinceEpoch == 1_700_000_000)
        #expect(Time(nanosecondsSinceEpoch: -1).secondsSinceEpoch == -1)
    }

    @Test(arguments: [
        "", "2023", "2023-02-29T00:00:00Z", "2023-13-01T00:00:00Z", "2023-11-14T22:13:20", "2023-11-14T22:13:20Zx",
    ])
    func `what is no time is refused`(text: String) {
        #expect(Time(text) == nil)
    }
}
