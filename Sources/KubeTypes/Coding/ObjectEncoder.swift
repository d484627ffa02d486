import JSON

extension Pod {
    /// The pod with its status in Kubernetes' JSON shape: what is empty is left out where Go leaves it out.
    public func json() -> JSONValue { ObjectEncoder.json(self, type: "Pod") }
}

/// Writes typed values as trees in the shape of Go's encoder, which the schema decides: an empty value is written only
/// where the field is required; a pointer (an optional here) that is set is always written.
public enum ObjectEncoder {
    /// The tree of a value of a Kubernetes type reachable from Pod.
    public static func json(_ value: some Encodable, type: String) -> JSONValue {
        let slot = Slot()
        do {
            try value.encode(to: NodeEncoder(slot: slot, kind: .object(type)))
        } catch {
            // Our types' encoders never throw, and this one takes everything that they write.
            return .null
        }
        return slot.value()
    }
}

/// A place for a value that is being written.
private final class Slot {
    enum Content {
        case nothing
        case scalar(JSONValue)
        case object([(key: String, slot: Slot)])
        case array([Slot])
    }

    var content = Content.nothing

    func value() -> JSONValue {
        switch content {
        case .nothing: .null
        case .scalar(let value): value
        case .object(let members):
            // By name, as kubectl prints them.
            .object(
                JSONObject(
                    members.sorted { $0.key < $1.key }
                        .map { JSONObject.Member(key: $0.key, value: $0.slot.value()) }))
        case .array(let slots): .array(slots.map { $0.value() })
        }
    }

    func member(_ key: String) -> Slot {
        let slot = Slot()
        if case .object(var members) = content {
            members.append((key, slot))
            content = .object(members)
        } else {
            content = .object([(key, slot)])
        }
        return slot
    }

    func element() -> Slot {
        let slot = Slot()
        if case .array(var slots) = content {
            slots.append(slot)
            content = .array(slots)
        } else {
            content = .array([slot])
        }
        return slot
    }
}

private struct NodeEncoder: Encoder {
    let slot: Slot
    let kind: Schema.Kind
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .nothing = slot.content { slot.content = .object([]) }
        return KeyedEncodingContainer(Members(slot: slot, kind: kind))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .nothing = slot.content { slot.content = .array([]) }
        return Items(slot: slot, kind: kind)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { Lone(slot: slot, kind: kind) }
}

private struct Members<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let slot: Slot
    let kind: Schema.Kind
    var codingPath: [any CodingKey] { [] }

    private func field(_ key: Key) -> (kind: Schema.Kind, required: Bool) {
        switch kind {
        case .object(let type):
            let field = Schema.kubernetes.types[type]?[key.stringValue]
            return (field?.kind ?? .opaque, field?.required ?? false)
        case .map(let value): return (value, true)
        default: return (.opaque, true)
        }
    }

    private func write(_ value: JSONValue, _ key: Key, empty: Bool) {
        if empty, !field(key).required { return }
        slot.member(key.stringValue).content = .scalar(value)
    }

    func encodeNil(forKey key: Key) {}
    func encode(_ value: Bool, forKey key: Key) { write(.bool(value), key, empty: !value) }
    func encode(_ value: String, forKey key: Key) { write(.string(value), key, empty: value.isEmpty) }
    func encode(_ value: Double, forKey key: Key) { write(.double(value), key, empty: value == 0) }
    func encode(_ value: Float, forKey key: Key) { write(.double(Double(value)), key, empty: value == 0) }
    func encode(_ value: Int, forKey key: Key) { write(.int(Int64(value)), key, empty: value == 0) }
    func encode(_ value: Int8, forKey key: Key) { write(.int(Int64(value)), key, empty: value == 0) }
    func encode(_ value: Int16, forKey key: Key) { write(.int(Int64(value)), key, empty: value == 0) }
    func encode(_ value: Int32, forKey key: Key) { write(.int(Int64(value)), key, empty: value == 0) }
    func encode(_ value: Int64, forKey key: Key) { write(.int(value), key, empty: value == 0) }
    func encode(_ value: UInt, forKey key: Key) { write(.uint(UInt64(value)), key, empty: value == 0) }
    func encode(_ value: UInt8, forKey key: Key) { write(.int(Int64(value)), key, empty: value == 0) }
    func encode(_ value: UInt16, forKey key: Key) { write(.int(Int64(value)), key, empty: value == 0) }
    func encode(_ value: UInt32, forKey key: Key) { write(.int(Int64(value)), key, empty: value == 0) }
    func encode(_ value: UInt64, forKey key: Key) { write(.uint(value), key, empty: value == 0) }

    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        let field = field(key)
        let child = Slot()
        try value.encode(to: NodeEncoder(slot: child, kind: field.kind))
        if !field.required, Self.isEmpty(child, field.kind) { return }
        slot.member(key.stringValue).content = child.content
    }

    /// Lists, maps and strings are left out when empty; objects never are.
    private static func isEmpty(_ slot: Slot, _ kind: Schema.Kind) -> Bool {
        switch (kind, slot.content) {
        case (_, .nothing): true
        case (.object, .object): false
        case (_, .object(let members)): members.isEmpty
        case (_, .array(let slots)): slots.isEmpty
        case (_, .scalar(.string(let text))): text.isEmpty
        default: false
        }
    }

    // A set optional is Go's pointer: written even when what it points at is empty.
    func encodeIfPresent<Value: Encodable>(_ value: Value?, forKey key: Key) throws {
        guard let value else { return }
        let child = Slot()
        try value.encode(to: NodeEncoder(slot: child, kind: field(key).kind))
        slot.member(key.stringValue).content = child.content
    }
    func encodeIfPresent(_ value: Bool?, forKey key: Key) { if let value { put(.bool(value), key) } }
    func encodeIfPresent(_ value: String?, forKey key: Key) { if let value { put(.string(value), key) } }
    func encodeIfPresent(_ value: Int?, forKey key: Key) { if let value { put(.int(Int64(value)), key) } }
    func encodeIfPresent(_ value: Int32?, forKey key: Key) { if let value { put(.int(Int64(value)), key) } }
    func encodeIfPresent(_ value: Int64?, forKey key: Key) { if let value { put(.int(value), key) } }

    private func put(_ value: JSONValue, _ key: Key) { slot.member(key.stringValue).content = .scalar(value) }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        NodeEncoder(slot: slot.member(key.stringValue), kind: field(key).kind).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        NodeEncoder(slot: slot.member(key.stringValue), kind: field(key).kind).unkeyedContainer()
    }

    func superEncoder() -> any Encoder { NodeEncoder(slot: slot.member("super"), kind: .opaque) }
    func superEncoder(forKey key: Key) -> any Encoder {
        NodeEncoder(slot: slot.member(key.stringValue), kind: field(key).kind)
    }
}

private struct Items: UnkeyedEncodingContainer {
    let slot: Slot
    let kind: Schema.Kind
    var codingPath: [any CodingKey] { [] }
    private(set) var count = 0

    init(slot: Slot, kind: Schema.Kind) {
        self.slot = slot
        self.kind = kind
    }

    private mutating func next() -> NodeEncoder {
        count += 1
        if case .list(let element) = kind { return NodeEncoder(slot: slot.element(), kind: element) }
        return NodeEncoder(slot: slot.element(), kind: .opaque)
    }

    mutating func encodeNil() throws { next().slot.content = .scalar(.null) }
    mutating func encode<Value: Encodable>(_ value: Value) throws { try value.encode(to: next()) }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        next().container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { next().unkeyedContainer() }
    mutating func superEncoder() -> any Encoder { next() }
}

private struct Lone: SingleValueEncodingContainer {
    let slot: Slot
    let kind: Schema.Kind
    var codingPath: [any CodingKey] { [] }

    func encodeNil() { slot.content = .scalar(.null) }
    func encode(_ value: Bool) { slot.content = .scalar(.bool(value)) }
    func encode(_ value: String) { slot.content = .scalar(.string(value)) }
    func encode(_ value: Double) { slot.content = .scalar(.double(value)) }
    func encode(_ value: Float) { slot.content = .scalar(.double(Double(value))) }
    func encode(_ value: Int) { slot.content = .scalar(.int(Int64(value))) }
    func encode(_ value: Int8) { slot.content = .scalar(.int(Int64(value))) }
    func encode(_ value: Int16) { slot.content = .scalar(.int(Int64(value))) }
    func encode(_ value: Int32) { slot.content = .scalar(.int(Int64(value))) }
    func encode(_ value: Int64) { slot.content = .scalar(.int(value)) }
    func encode(_ value: UInt) { slot.content = .scalar(.uint(UInt64(value))) }
    func encode(_ value: UInt8) { slot.content = .scalar(.int(Int64(value))) }
    func encode(_ value: UInt16) { slot.content = .scalar(.int(Int64(value))) }
    func encode(_ value: UInt32) { slot.content = .scalar(.int(Int64(value))) }
    func encode(_ value: UInt64) { slot.content = .scalar(.uint(value)) }
    func encode<Value: Encodable>(_ value: Value) throws { try value.encode(to: NodeEncoder(slot: slot, kind: kind)) }
}
