import Testing

@testable import Shim

@Suite("Lines of the CRI log")
struct LogLinesTests {
    private let time = Array("2016-10-06T00:17:09.669794202Z".utf8)

    private func lines(_ parts: [String], finish: Bool = true, stream: StaticString = "stdout") -> String {
        var format = LogLines(stream: stream)
        var output: [UInt8] = []
        for part in parts {
            Array(part.utf8).withUnsafeBytes { format.append($0, time: time, to: &output) }
        }
        if finish { format.finish(time: time, to: &output) }
        return String(decoding: output, as: UTF8.self)
    }

    @Test func `A line is written whole, with its time and stream`() {
        #expect(lines(["hello\n"]) == "2016-10-06T00:17:09.669794202Z stdout F hello\n")
        #expect(lines(["oops\n"], stream: "stderr") == "2016-10-06T00:17:09.669794202Z stderr F oops\n")
    }

    @Test func `A line that comes in pieces is one line`() {
        #expect(lines(["hel", "lo", "\n"]) == "2016-10-06T00:17:09.669794202Z stdout F hello\n")
    }

    @Test func `Several lines of one read are several lines, empty ones too`() {
        let prefix = "2016-10-06T00:17:09.669794202Z stdout F "
        #expect(lines(["a\n\nb\n"]) == "\(prefix)a\n\(prefix)\n\(prefix)b\n")
    }

    @Test func `What has no newline waits for it, and at the end becomes a line`() {
        #expect(lines(["prompt> "], finish: false) == "")
        #expect(lines(["prompt> "]) == "2016-10-06T00:17:09.669794202Z stdout P prompt> \n")
        #expect(lines(["done\n"]) == "2016-10-06T00:17:09.669794202Z stdout F done\n")
    }

    @Test func `A line of exactly 16 KiB is not split`() {
        let text = String(repeating: "x", count: 16_384)
        #expect(lines([text, "\n"]) == "2016-10-06T00:17:09.669794202Z stdout F \(text)\n")
        #expect(lines([text + "\n"]) == "2016-10-06T00:17:09.669794202Z stdout F \(text)\n")
    }

    @Test func `A longer line is split at 16 KiB into partial ones and a full one`() {
        let chunk = String(repeating: "x", count: 16_384)
        let expected =
            "2016-10-06T00:17:09.669794202Z stdout P \(chunk)\n"
            + "2016-10-06T00:17:09.669794202Z stdout P \(chunk)\n"
            + "2016-10-06T00:17:09.669794202Z stdout F yz\n"
        #expect(lines([chunk + chunk + "yz\n"]) == expected)
        #expect(lines([chunk + "", chunk + "y", "z", "\n"]) == expected)
    }

    @Test func `However a text is cut into reads, the log is the same`() {
        var text = ""
        for length in [0, 1, 5, 16_383, 16_384, 16_385, 40_000, 3] {
            text += String(repeating: "ab", count: length) + "\n"
        }
        let whole = lines([text])
        for size in [1, 7, 4096, 16_384, 16_385, 32_768] {
            var parts: [String] = []
            var rest = text[...]
            while !rest.isEmpty {
                parts.append(String(rest.prefix(size)))
                rest = rest.dropFirst(size)
            }
            #expect(lines(parts) == whole, "cut every \(size) bytes")
        }
    }

    @Test func `Bytes that are no text pass unchanged`() {
        var format = LogLines(stream: "stdout")
        var output: [UInt8] = []
        let bytes: [UInt8] = [0, 255, 13, 10]
        bytes.withUnsafeBytes { format.append($0, time: time, to: &output) }
        #expect(output == time + Array(" stdout F ".utf8) + bytes)
    }

    @Test func `Times are written to the nanosecond`() {
        var timestamp = LogTimestamp()
        func text(_ nanoseconds: Int64) -> String { String(decoding: timestamp.format(nanoseconds), as: UTF8.self) }
        #expect(text(0) == "1970-01-01T00:00:00.000000000Z")
        #expect(text(1_475_713_029_669_794_202) == "2016-10-06T00:17:09.669794202Z")
        #expect(text(1_475_713_029_000_000_001) == "2016-10-06T00:17:09.000000001Z")
        #expect(text(951_782_400_000_000_000) == "2000-02-29T00:00:00.000000000Z")
        #expect(text(4_102_444_799_999_999_999) == "2099-12-31T23:59:59.999999999Z")
        #expect(text(-1) == "1969-12-31T23:59:59.999999999Z")
    }
}
