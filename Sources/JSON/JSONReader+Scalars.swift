extension JSONReader {
    /// Reads `true` or `false`.
    public mutating func readBool() throws(JSONError) -> Bool {
        switch next() {
        case UInt8(ascii: "t"):
            try readWord("true")
            return true
        case UInt8(ascii: "f"):
            try readWord("false")
            return false
        default: throw mismatch("true or false")
        }
    }

    /// Reads `null` if it comes next.
    ///
    /// - Returns: whether it did.
    public mutating func readNull() throws(JSONError) -> Bool {
        guard next() == UInt8(ascii: "n") else { return false }
        try readWord("null")
        return true
    }

    /// Reads an integer that fits `Value` exactly; fractions, exponents and what is out of range are refused.
    @inlinable public mutating func readInteger<Value: FixedWidthInteger>(
        as type: Value.Type = Value.self
    ) throws(JSONError) -> Value {
        let (negative, magnitude) = try readMagnitude()
        if negative {
            if magnitude == 0 { return 0 }
            let value = Int64(truncatingIfNeeded: 0 &- magnitude)
            if value < 0, let exact = Value(exactly: value) { return exact }
        } else if let exact = Value(exactly: magnitude) {
            return exact
        }
        throw failure("the number is out of range: it must be from \(Value.min) to \(Value.max)")
    }

    /// Reads an integer as sign and magnitude.
    @usableFromInline mutating func readMagnitude() throws(JSONError) -> (negative: Bool, magnitude: UInt64) {
        switch next() {
        case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): break
        default: throw mismatch("an integer")
        }
        let start = position
        let number = try scanNumber()
        guard number.integral else { throw failure("expected an integer, found a fraction", at: start) }
        let negative = base[start] == UInt8(ascii: "-")
        var magnitude: UInt64 = 0
        for index in (negative ? start + 1 : start)..<position {
            let (tens, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(UInt64(base[index] - UInt8(ascii: "0")))
            if overflow || carry { throw failure("the number has more than 64 bits", at: start) }
            magnitude = sum
        }
        if negative, magnitude > UInt64(Int64.max) + 1 { throw failure("the number has more than 64 bits", at: start) }
        return (negative, magnitude)
    }

    /// Reads a number of any form, rounded to the nearest double; one too great to be finite is refused.
    public mutating func readDouble() throws(JSONError) -> Double {
        switch next() {
        case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): break
        default: throw mismatch("a number")
        }
        let start = position
        _ = try scanNumber()
        let text = String(decoding: UnsafeBufferPointer(start: base + start, count: position - start), as: UTF8.self)
        guard let value = Double(text), value.isFinite else { throw failure("the number is out of range", at: start) }
        return value
    }

    /// Goes over a number (RFC 8259, section 6) and tells whether it has neither fraction nor exponent.
    mutating func scanNumber() throws(JSONError) -> (integral: Bool, Void) {
        let start = position
        if base[position] == UInt8(ascii: "-") { position += 1 }
        let digits = scanDigits()
        guard digits > 0 else { throw failure("the number has no digits", at: start) }
        if digits > 1, base[position - digits] == UInt8(ascii: "0") {
            throw failure("a number may not begin with 0", at: start)
        }
        var integral = true
        if position < count, base[position] == UInt8(ascii: ".") {
            integral = false
            position += 1
            guard scanDigits() > 0 else { throw failure("the number has no digits after its point", at: start) }
        }
        if position < count, base[position] | 0x20 == UInt8(ascii: "e") {
            integral = false
            position += 1
            if position < count, base[position] == UInt8(ascii: "+") || base[position] == UInt8(ascii: "-") {
                position += 1
            }
            guard scanDigits() > 0 else { throw failure("the number's exponent has no digits", at: start) }
        }
        return (integral, ())
    }

    private mutating func scanDigits() -> Int {
        let start = position
        while position < count, base[position] &- UInt8(ascii: "0") < 10 { position += 1 }
        return position - start
    }

    /// Goes over one of JSON's three words.
    mutating func readWord(_ word: StaticString) throws(JSONError) {
        let length = word.utf8CodeUnitCount
        guard position + length <= count else { throw mismatch("a value") }
        for index in 0..<length where base[position + index] != word.utf8Start[index] {
            throw mismatch("a value")
        }
        position += length
    }
}
