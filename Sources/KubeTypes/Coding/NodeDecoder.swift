/// Makes typed values from a checked tree.
///
/// A field that is missing or null takes its type's empty value, as in Go; so only `SchemaCheck` decides what is wrong.
struct NodeDecoder: Decoder {
    let node: ManifestNode
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    /// A typed value from a tree.
    static func decode<Value: Decodable>(_ type: Value.Type, from node: ManifestNode) throws -> Value {
        try Value(from: NodeDecoder(node: node))
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(Fields(node: node))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { Elements(nodes: node.elements) }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { Single(node: node) }

    static func mismatch(_ node: ManifestNode, _ expected: String) -> DecodingError {
        DecodingError.dataCorrupted(
            DecodingError.Context(
                codingPath: [], debugDescription: "line \(node.line): expected \(expected), found \(node.shown)"))
    }

    fileprivate static func string(_ node: ManifestNode) throws -> String {
        if node.isNull { return "" }
        guard let text = node.string ?? node.quantityText else { throw mismatch(node, "a string") }
        return text
    }

    fileprivate static func bool(_ node: ManifestNode) throws -> Bool {
        switch node.value {
        case .null: return false
        case .bool(let flag, _): return flag
        default: throw mismatch(node, "true or false")
        }
    }

    fileprivate static func double(_ node: ManifestNode) throws -> Double {
        switch node.value {
        case .null: return 0
        case .int(let value, _): return Double(value)
        case .float(let value, _): return value
        default: throw mismatch(node, "a number")
        }
    }

    fileprivate static func integer<Value: FixedWidthInteger>(_ node: ManifestNode) throws -> Value {
        if node.isNull { return 0 }
        guard let value = node.integer.flatMap({ Value(exactly: $0) }) else { throw mismatch(node, "an integer") }
        return value
    }
}

/// Any field's name.
struct FieldKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(stringValue: String) {
        self.stringValue = stringValue
        intValue = nil
    }

    init(intValue: Int) {
        stringValue = "\(intValue)"
        self.intValue = intValue
    }
}

private struct Fields<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let node: ManifestNode
    private let members: [ManifestNode.Member]
    /// Where each member is, where there are so many that looking through them would take long.
    private let index: [String: Int]?

    init(node: ManifestNode) {
        self.node = node
        let members = node.members
        self.members = members
        index =
            members.count > 32
            ? Dictionary(zip(members.map(\.key), members.indices)) { first, _ in first } : nil
    }

    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { members.compactMap { Key(stringValue: $0.key) } }

    func contains(_ key: Key) -> Bool { !value(key).isNull }
    func decodeNil(forKey key: Key) -> Bool { value(key).isNull }

    private func value(_ key: Key) -> ManifestNode {
        let name = key.stringValue
        let place = index.map { $0[name] } ?? members.firstIndex { $0.key == name }
        return place.map { members[$0].node } ?? ManifestNode(line: node.line, column: node.column, value: .null)
    }

    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try NodeDecoder.bool(value(key)) }
    func decode(_ type: String.Type, forKey key: Key) throws -> String { try NodeDecoder.string(value(key)) }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try NodeDecoder.double(value(key)) }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { Float(try NodeDecoder.double(value(key))) }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try NodeDecoder.integer(value(key)) }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try NodeDecoder.integer(value(key)) }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try NodeDecoder.integer(value(key)) }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try NodeDecoder.integer(value(key)) }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try NodeDecoder.integer(value(key)) }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try NodeDecoder.integer(value(key)) }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try NodeDecoder.integer(value(key)) }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try NodeDecoder.integer(value(key)) }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try NodeDecoder.integer(value(key)) }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try NodeDecoder.integer(value(key)) }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try Value(from: NodeDecoder(node: value(key)))
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        KeyedDecodingContainer(Fields<Nested>(node: value(key)))
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        Elements(nodes: value(key).elements)
    }

    func superDecoder() throws -> any Decoder { NodeDecoder(node: node) }
    func superDecoder(forKey key: Key) throws -> any Decoder { NodeDecoder(node: value(key)) }
}

private struct Elements: UnkeyedDecodingContainer {
    let nodes: [ManifestNode]
    var currentIndex = 0

    init(nodes: [ManifestNode]) { self.nodes = nodes }

    var codingPath: [any CodingKey] { [] }
    var count: Int? { nodes.count }
    var isAtEnd: Bool { currentIndex >= nodes.count }

    private mutating func next() -> ManifestNode {
        defer { currentIndex += 1 }
        guard nodes.indices.contains(currentIndex) else { return ManifestNode(line: 1, column: 1, value: .null) }
        return nodes[currentIndex]
    }

    mutating func decodeNil() -> Bool { false }
    mutating func decode(_ type: Bool.Type) throws -> Bool { try NodeDecoder.bool(next()) }
    mutating func decode(_ type: String.Type) throws -> String { try NodeDecoder.string(next()) }
    mutating func decode(_ type: Double.Type) throws -> Double { try NodeDecoder.double(next()) }
    mutating func decode(_ type: Float.Type) throws -> Float { Float(try NodeDecoder.double(next())) }
    mutating func decode(_ type: Int.Type) throws -> Int { try NodeDecoder.integer(next()) }
    mutating func decode(_ type: Int8.Type) throws -> Int8 { try NodeDecoder.integer(next()) }
    mutating func decode(_ type: Int16.Type) throws -> Int16 { try NodeDecoder.integer(next()) }
    mutating func decode(_ type: Int32.Type) throws -> Int32 { try NodeDecoder.integer(next()) }
    mutating func decode(_ type: Int64.Type) throws -> Int64 { try NodeDecoder.integer(next()) }
    mutating func decode(_ type: UInt.Type) throws -> UInt { try NodeDecoder.integer(next()) }
    mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try NodeDecoder.integer(next()) }
    mutating func decode(_ type: UInt16.Type) throws -> UInt16 { try NodeDecoder.integer(next()) }
    mutating func decode(_ type: UInt32.Type) throws -> UInt32 { try NodeDecoder.integer(next()) }
    mutating func decode(_ type: UInt64.Type) throws -> UInt64 { try NodeDecoder.integer(next()) }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try Value(from: NodeDecoder(node: next()))
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        KeyedDecodingContainer(Fields<Nested>(node: next()))
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { Elements(nodes: next().elements) }
    mutating func superDecoder() throws -> any Decoder { NodeDecoder(node: next()) }
}

private struct Single: SingleValueDecodingContainer {
    let node: ManifestNode
    var codingPath: [any CodingKey] { [] }

    func decodeNil() -> Bool { node.isNull }
    func decode(_ type: Bool.Type) throws -> Bool { try NodeDecoder.bool(node) }
    func decode(_ type: String.Type) throws -> String { try NodeDecoder.string(node) }
    func decode(_ type: Double.Type) throws -> Double { try NodeDecoder.double(node) }
    func decode(_ type: Float.Type) throws -> Float { Float(try NodeDecoder.double(node)) }
    func decode(_ type: Int.Type) throws -> Int { try NodeDecoder.integer(node) }
    func decode(_ type: Int8.Type) throws -> Int8 { try NodeDecoder.integer(node) }
    func decode(_ type: Int16.Type) throws -> Int16 { try NodeDecoder.integer(node) }
    func decode(_ type: Int32.Type) throws -> Int32 { try NodeDecoder.integer(node) }
    func decode(_ type: Int64.Type) throws -> Int64 { try NodeDecoder.integer(node) }
    func decode(_ type: UInt.Type) throws -> UInt { try NodeDecoder.integer(node) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try NodeDecoder.integer(node) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try NodeDecoder.integer(node) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try NodeDecoder.integer(node) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try NodeDecoder.integer(node) }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try Value(from: NodeDecoder(node: node)) }
}
