import JSON
import Testing

@Suite("Reading JSON")
struct JSONReaderTests {
    private func parse(_ text: String, depth: Int = 128) throws(JSONError) -> JSONValue {
        try JSONValue.parse(Array(text.utf8), limits: JSONLimits(depth: depth))
    }

    @Test("every kind of value comes out as it is")
    func values() throws {
        let text =
            #" { "a" : [ 1 , -2, 18446744073709551615, 1.5, 1e3, true, false, null ], "b": {}, "c": [], "d": "x" } "#
        let value = try parse(text)
        #expect(value["a"] == [1, -2, .uint(.max), 1.5, 1000.0, true, false, nil])
        #expect(value["b"] == [:])
        #expect(value["c"] == [])
        #expect(value["d"]?.stringValue == "x")
        #expect(value.objectValue?.keys == ["a", "b", "c", "d"])
    }

    @Test("integers are exact to the last of 64 bits, and what goes beyond is a double")
    func exactIntegers() throws {
        #expect(try parse("9223372036854775807") == .int(.max))
        #expect(try parse("-9223372036854775808") == .int(.min))
        #expect(try parse("9223372036854775808") == .uint(9_223_372_036_854_775_808))
        #expect(try parse("18446744073709551616") == .double(18_446_744_073_709_551_616))
        #expect(try parse("-9223372036854775809") == .double(-9_223_372_036_854_775_808))
        #expect(try Int64.read(Array("-9223372036854775808".utf8)) == .min)
        #expect(try UInt32.read(Array("4294967295".utf8)) == .max)
        #expect(try UInt32.read(Array("-0".utf8)) == 0)
    }

    @Test(
        "an integer that doesn't fit is refused with the range that would",
        arguments: [
            ("4294967296", "the number is out of range: it must be from 0 to 4294967295"),
            ("-1", "the number is out of range: it must be from 0 to 4294967295"),
            ("1.0", "expected an integer, found a fraction"), ("1e3", "expected an integer, found a fraction"),
            ("\"1\"", "expected an integer, found a string"),
            ("99999999999999999999", "the number has more than 64 bits"),
        ])
    func refusedIntegers(text: String, reason: String) {
        let error = #expect(throws: JSONError.self) { try UInt32.read(Array(text.utf8)) }
        #expect(error?.reason == reason)
    }

    @Test(
        "escapes become characters, pairs of surrogates one character",
        arguments: [
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u00e9\u20AC""#, "é€"), (#""\ud83d\ude00!""#, "😀!"),
            (
                #""plain text of more than eight bytes, then \n a break""#,
                "plain text of more than eight bytes, then \n a break"
            ),
            (#""\u0000""#, "\0"), ("\"häß€😀\"", "häß€😀"),
        ])
    func escapes(text: String, expected: String) throws {
        #expect(try parse(text).stringValue == expected)
    }

    @Test(
        "what is no JSON is refused",
        arguments: [
            "", " ", "{]", "{", "[", "[1", "[1,", "[1,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "tru", "nul",
            "01", "-",
            "1.", "1e", "+1", ".5", "\"", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\udc00\"",
            "\"\\ud800\\u0041\"",
            "\"a\nb\"", "1 2", "{} x", "\u{FEFF}{}", "NaN", "Infinity", "'a'", "[1 2]", "{\"a\" 1}", "\"abcdefgh",
        ])
    func refused(text: String) {
        #expect(throws: JSONError.self) { try parse(text) }
    }

    @Test("a string that isn't UTF-8 is refused")
    func notUTF8() {
        #expect(throws: JSONError.self) { try JSONValue.parse([0x22, 0xFF, 0xFE, 0x22]) }
        #expect(throws: JSONError.self) { try JSONValue.parse([0x22, 0xC0, 0x80, 0x22]) }
    }

    @Test("every cut of a good text is an error and no crash")
    func cuts() throws {
        let text = Array(
            #"{"a":[1,-2.5e3,{"b\u00e9":"c\n\ud83d\ude00 long enough for words"}],"d":true,"e":null}"#.utf8)
        _ = try JSONValue.parse(text)
        for length in 0..<text.count {
            #expect(throws: JSONError.self) { try JSONValue.parse(Array(text[..<length])) }
        }
    }

    @Test("every single byte changed in a good text is an answer or an error, and no crash")
    func noise() {
        let text = Array(#"{"a":[1,-2.5e3,{"b\u00e9":"c\n"}],"d":true}"#.utf8)
        for index in text.indices {
            for byte in UInt8.min...UInt8.max {
                var changed = text
                changed[index] = byte
                guard let value = try? JSONValue.parse(changed) else { continue }
                if (try? JSONValue.parse(value.encoded())) != value { Issue.record("byte \(byte) at \(index)") }
            }
        }
    }

    @Test("nesting and size have limits")
    func limits() throws {
        _ = try parse(String(repeating: "[", count: 8) + String(repeating: "]", count: 8), depth: 8)
        let deep = #expect(throws: JSONError.self) {
            try parse(String(repeating: "[", count: 100_000), depth: 100)
        }
        #expect(deep?.reason == "nested deeper than 100 levels")
        #expect(throws: JSONError.self) {
            var reader = try JSONReader(Array(String(repeating: "{\"a\":", count: 100_000).utf8))
            try reader.skipValue()
        }
        let large = #expect(throws: JSONError.self) { try JSONValue.parse([0x31, 0x31], limits: JSONLimits(bytes: 1)) }
        #expect(large?.reason == "the text has 2 bytes, more than the 1 allowed")
    }

    @Test("an error names line, column and the way to the value")
    func places() {
        let error = #expect(throws: JSONError.self) {
            try JSONValue.parse(Array("{\n  \"a\": {\"b\": [1, {\"c\": tru}]}\n}".utf8))
        }
        #expect(error?.description == "line 2, column 24: a.b[1].c: expected a value, found a boolean")
    }

    @Test("a name that stands twice counts the last time, and both are kept")
    func twice() throws {
        let value = try parse(#"{"a":1,"a":2}"#)
        #expect(value["a"] == 2)
        #expect(value.objectValue?.count == 2)
        #expect(try [String: Int].read(Array(#"{"a":1,"a":2}"#.utf8)) == ["a": 2])
    }

    @Test("a reader passes over what isn't wanted, and tells where it stood")
    func skipping() throws {
        let text = Array(#"{"skip": {"x": ["\"]}", 1]} , "want": 7}"#.utf8)
        var reader = try JSONReader(text)
        var range = 0..<0
        var wanted = 0
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "skip": range = try reader.skipValueRange()
            case "want": wanted = try reader.read()
            default: Issue.record("unexpected \(key.string)")
            }
        }
        try reader.finish()
        #expect(String(decoding: text[range], as: UTF8.self) == #"{"x": ["\"]}", 1]}"#)
        #expect(wanted == 7)
    }

    @Test("a name with escapes is compared decoded")
    func escapedNames() throws {
        var reader = try JSONReader(Array(#"{"n\u0061me": 1, "": 2}"#.utf8))
        var found: [String] = []
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "name": found.append("name")
            case "": found.append("empty")
            default: break
            }
            try reader.skipValue()
        }
        #expect(found == ["name", "empty"])
    }

    @Test("null leaves a member alone")
    func nulls() throws {
        #expect(try [String: Int].read(Array(#"{"a":null,"b":2}"#.utf8)) == ["b": 2])
        #expect(try [Int?].read(Array("[null,2]".utf8)) == [nil, 2])
        #expect(throws: JSONError.self) { try [String: Int].read(Array(#"{"a":nope}"#.utf8)) }
    }

    @Test("a closure that reads nothing is an error, not an endless loop")
    func unread() throws {
        let error = #expect(throws: JSONError.self) {
            var reader = try JSONReader(Array("[1,2]".utf8))
            try reader.readArray { (_) throws(JSONError) in }
        }
        #expect(error?.reason == "the value was not read")
    }
}
