import KubeTypes

/// A value of the Kubernetes types as text that is the same in every process and survives new fields: keys sorted,
/// what is unset left out. For hashes only; nobody reads it back.
struct StableText {
    private(set) var bytes: [UInt8] = []

    init(_ value: Any) { write(value) }

    private mutating func write(_ value: Any) {
        switch value {
        case let text as String: quote(text)
        case let quantity as Quantity: quote(quantity.description)
        case let number as any BinaryInteger: bytes += Array("\(number)".utf8)
        case let flag as Bool: bytes += Array("\(flag)".utf8)
        case let dictionary as [String: Any]:
            writeMembers(dictionary.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        default: writeReflected(value)
        }
    }

    private mutating func writeReflected(_ value: Any) {
        let mirror = Mirror(reflecting: value)
        switch mirror.displayStyle {
        case .optional:
            if let wrapped = mirror.children.first { write(wrapped.value) } else { bytes += Array("null".utf8) }
        case .collection:
            bytes.append(UInt8(ascii: "["))
            for child in mirror.children {
                write(child.value)
                bytes.append(UInt8(ascii: ","))
            }
            bytes.append(UInt8(ascii: "]"))
        case .struct, .enum:
            let members = mirror.children.compactMap { child in child.label.map { ($0, child.value) } }
            if members.isEmpty { quote("\(value)") } else { writeMembers(members.filter { !Self.isUnset($0.1) }) }
        default: quote("\(value)")
        }
    }

    private mutating func writeMembers(_ members: [(String, Any)]) {
        bytes.append(UInt8(ascii: "{"))
        for (key, value) in members {
            quote(key)
            bytes.append(UInt8(ascii: ":"))
            write(value)
            bytes.append(UInt8(ascii: ","))
        }
        bytes.append(UInt8(ascii: "}"))
    }

    /// The text's length goes first, so that no text can pretend to be another's structure.
    private mutating func quote(_ text: String) {
        bytes += Array("\(text.utf8.count)\"".utf8)
        bytes += Array(text.utf8)
    }

    private static func isUnset(_ value: Any) -> Bool {
        switch value {
        case let text as String: return text.isEmpty
        case let flag as Bool: return !flag
        case let number as any BinaryInteger: return "\(number)" == "0"
        case is Quantity: return false
        default: break
        }
        let mirror = Mirror(reflecting: value)
        switch mirror.displayStyle {
        case .optional, .collection, .dictionary, .set: return mirror.children.isEmpty
        case .struct: return mirror.children.allSatisfy { isUnset($0.value) }
        default: return false
        }
    }
}

/// FNV-1a (draft-eastlake-fnv): quick and the same everywhere. It tells definitions apart; it proves nothing.
enum FNV {
    static func hash64(_ bytes: some Sequence<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return hash
    }

    static func hash128(_ bytes: some Sequence<UInt8>) -> UInt128 {
        var hash = UInt128(0x6c62_272e_07bb_0142) << 64 | UInt128(0x62b8_2175_6295_c58d)
        let prime = UInt128(0x100_0000) << 64 | UInt128(0x13b)
        for byte in bytes { hash = (hash ^ UInt128(byte)) &* prime }
        return hash
    }
}

extension FixedWidthInteger {
    /// Lower-case hexadecimal, padded to the full width.
    var hexadecimal: String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: Self.bitWidth / 4 - digits.count) + digits
    }
}

extension Container {
    /// Tells whether a running container is still the one that is wished (annotation `io.kubernetes.container.hash`).
    var definitionHash: String { String(FNV.hash64(StableText(self).bytes), radix: 16) }
}
