/// Writes JSON text piece by piece; commas, colons and indentation come by themselves.
public struct JSONWriter: Sendable {
    /// What has been written.
    public private(set) var bytes: [UInt8] = []
    private let indent: [UInt8]?
    private var depth = 0
    private var needsComma = false
    private var afterKey = false

    /// - Parameter indent: what each level is indented by (two spaces, a tab); nil for everything on one line.
    public init(indent: String? = nil) {
        self.indent = indent.map { Array($0.utf8) }
        bytes.reserveCapacity(512)
    }

    /// Writes an object; `body` writes its members.
    public mutating func object(_ body: (inout JSONWriter) -> Void) {
        container(UInt8(ascii: "{"), UInt8(ascii: "}"), body)
    }

    /// Writes an array; `body` writes its elements.
    public mutating func array(_ body: (inout JSONWriter) -> Void) {
        container(UInt8(ascii: "["), UInt8(ascii: "]"), body)
    }

    /// Writes a member's name; the next thing written is its value.
    public mutating func key(_ name: String) {
        separate()
        quote(name)
        bytes.append(UInt8(ascii: ":"))
        if indent != nil { bytes.append(UInt8(ascii: " ")) }
        afterKey = true
    }

    /// Writes a member, unless its value counts as left out (`JSONWritable.isOmitted`).
    public mutating func member<Value: JSONWritable>(_ name: String, _ value: Value) {
        if value.isOmitted { return }
        key(name)
        value.write(to: &self)
    }

    /// Writes a member, whatever its value.
    public mutating func required<Value: JSONWritable>(_ name: String, _ value: Value) {
        key(name)
        value.write(to: &self)
    }

    public mutating func value(_ text: String) {
        separate()
        quote(text)
    }

    public mutating func value(_ flag: Bool) {
        separate()
        bytes.append(contentsOf: (flag ? "true" : "false").utf8)
    }

    /// Writes an integer exactly.
    public mutating func value(integer: some FixedWidthInteger) {
        separate()
        bytes.append(contentsOf: String(integer).utf8)
    }

    /// Writes the shortest text that reads back as the same double, never as an integer; infinities and NaN, which JSON lacks, as null.
    public mutating func value(_ number: Double) {
        guard number.isFinite else { return null() }
        separate()
        bytes.append(contentsOf: number.description.utf8)
    }

    public mutating func null() {
        separate()
        bytes.append(contentsOf: "null".utf8)
    }

    private mutating func container(_ open: UInt8, _ close: UInt8, _ body: (inout JSONWriter) -> Void) {
        separate()
        bytes.append(open)
        let start = bytes.count
        depth += 1
        needsComma = false
        body(&self)
        depth -= 1
        if bytes.count > start { newLine() }
        bytes.append(close)
        needsComma = true
    }

    /// What must stand before the next thing.
    private mutating func separate() {
        if afterKey {
            afterKey = false
            needsComma = true
            return
        }
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        if depth > 0 { newLine() }
        needsComma = true
    }

    private mutating func newLine() {
        guard let indent else { return }
        bytes.append(UInt8(ascii: "\n"))
        for _ in 0..<depth { bytes.append(contentsOf: indent) }
    }

    private mutating func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0x0A: bytes.append(contentsOf: "\\n".utf8)
            case 0x0D: bytes.append(contentsOf: "\\r".utf8)
            case 0x09: bytes.append(contentsOf: "\\t".utf8)
            case 0..<0x20, 0x7F:
                bytes.append(contentsOf: "\\u00".utf8)
                bytes.append(hexDigit(byte >> 4))
                bytes.append(hexDigit(byte & 0xF))
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
