import JSON
import Testing

@Suite("Writing JSON")
struct JSONWriterTests {
    private func text(_ value: some JSONWritable, indent: String? = nil) -> String {
        String(decoding: value.encoded(indent: indent), as: UTF8.self)
    }

    @Test("on one line nothing is wasted")
    func compact() {
        let value: JSONValue = ["a": [1, -2, 1.5, true, nil, "x\n\"\\\u{1}é"], "b": [:], "c": []]
        #expect(text(value) == #"{"a":[1,-2,1.5,true,null,"x\n\"\\\u0001é"],"b":{},"c":[]}"#)
    }

    @Test("indented as people read it")
    func indented() {
        let value: JSONValue = ["a": [1, ["b": 2]], "c": [:]]
        #expect(
            text(value, indent: "\t") == "{\n\t\"a\": [\n\t\t1,\n\t\t{\n\t\t\t\"b\": 2\n\t\t}\n\t],\n\t\"c\": {}\n}")
        #expect(value.encoded(pretty: true) == value.encoded(indent: "  "))
    }

    @Test(
        "numbers read back as they were", arguments: [0.1, -1e300, 2.2250738585072014e-308, 3, 1.7976931348623157e308])
    func numbers(number: Double) throws {
        let back = try JSONValue.parse(JSONValue.double(number).encoded())
        #expect(back.doubleValue == number)
    }

    @Test("what JSON can't say is null")
    func notFinite() {
        #expect(text(JSONValue.double(.nan)) == "null")
        #expect(text(JSONValue.double(.infinity)) == "null")
    }

    @Test("a map is written in the order of its names, members that are left out leave no comma")
    func members() {
        #expect(text(["b": 1, "a": 2]) == #"{"a":2,"b":1}"#)
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("empty", "")
            writer.member("nothing", nil as Int?)
            writer.member("no", false)
            writer.member("zero", 0)
            writer.member("said", false as Bool?)
            writer.required("text", "")
        }
        #expect(String(decoding: writer.bytes, as: UTF8.self) == #"{"zero":0,"said":false,"text":""}"#)
    }

    @Test("setting a member replaces it where it stands, nil removes it")
    func editing() {
        var value: JSONValue = ["a": 1, "b": 2]
        value["a"] = 3
        value["c"] = 4
        value["b"] = nil
        #expect(value == ["a": 3, "c": 4])
    }
}
