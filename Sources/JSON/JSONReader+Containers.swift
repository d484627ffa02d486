extension JSONReader {
    /// Reads an object: calls `member` for every member, in the text's order, which must read or skip the value.
    ///
    /// A member whose value is null is passed over without a call, as Go's decoder leaves a field alone; where null has a
    /// meaning, read a `JSONValue`. Names that occur twice come twice. An error is given the member's name as its path.
    public mutating func readObject(
        _ member: (inout JSONReader, JSONKey) throws(JSONError) -> Void
    ) throws(JSONError) {
        try readMembers { (reader, key) throws(JSONError) in
            if reader.next() == UInt8(ascii: "n") {
                try reader.readWord("null")
            } else {
                try member(&reader, key)
            }
        }
    }

    /// Reads an object as `readObject` does, with the members that are null.
    mutating func readMembers(
        _ member: (inout JSONReader, JSONKey) throws(JSONError) -> Void
    ) throws(JSONError) {
        guard next() == UInt8(ascii: "{") else { throw mismatch("an object") }
        try descend()
        if next() == UInt8(ascii: "}") {
            position += 1
            depth -= 1
            return
        }
        while true {
            let key = try readKey()
            do throws(JSONError) {
                let before = position
                try member(&self, key)
                if position == before { throw failure("the value was not read") }
            } catch {
                throw error.inside(key: key.string)
            }
            switch next() {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "}"):
                position += 1
                depth -= 1
                return
            default: throw mismatch("',' or '}' after a member")
            }
        }
    }

    /// Reads an array: calls `element` for every element, which must read or skip the value.
    public mutating func readArray(
        _ element: (inout JSONReader) throws(JSONError) -> Void
    ) throws(JSONError) {
        guard next() == UInt8(ascii: "[") else { throw mismatch("an array") }
        try descend()
        if next() == UInt8(ascii: "]") {
            position += 1
            depth -= 1
            return
        }
        var index = 0
        while true {
            do throws(JSONError) {
                let before = position
                try element(&self)
                if position == before { throw failure("the value was not read") }
            } catch {
                throw error.inside(index: index)
            }
            index += 1
            switch next() {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "]"):
                position += 1
                depth -= 1
                return
            default: throw mismatch("',' or ']' after an element")
            }
        }
    }

    /// Reads a member's name and its colon, and stands before the value.
    private mutating func readKey() throws(JSONError) -> JSONKey {
        guard next() == UInt8(ascii: "\"") else { throw mismatch("a member's name in quotes") }
        let start = position + 1
        let escaped = try scanString()
        var key = JSONKey(start: base + start, count: position - 1 - start)
        if escaped {
            let decoded = try decodeEscapes(from: start, to: position - 1)
            let kept = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(decoded.count, 1))
            _ = kept.initialize(from: decoded)
            decodedKeys.append(kept)
            if let address = kept.baseAddress { key = JSONKey(start: address, count: decoded.count) }
        }
        guard next() == UInt8(ascii: ":") else { throw mismatch("':' after a member's name") }
        position += 1
        return key
    }

    /// Passes over one value of any kind, checking that it is one.
    public mutating func skipValue() throws(JSONError) {
        switch next() {
        case UInt8(ascii: "{"):
            try readMembers { (reader, _) throws(JSONError) in try reader.skipValue() }
        case UInt8(ascii: "["):
            try readArray { (reader) throws(JSONError) in try reader.skipValue() }
        case UInt8(ascii: "\""): _ = try scanString()
        case UInt8(ascii: "t"): try readWord("true")
        case UInt8(ascii: "f"): try readWord("false")
        case UInt8(ascii: "n"): try readWord("null")
        case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): _ = try scanNumber()
        default: throw mismatch("a value")
        }
    }

    /// Passes over one value and tells which bytes of the text it is.
    public mutating func skipValueRange() throws(JSONError) -> Range<Int> {
        _ = next()
        let start = position
        try skipValue()
        return start..<position
    }
}
