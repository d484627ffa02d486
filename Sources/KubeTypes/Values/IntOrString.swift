/// A number or a name: a port by number, or by the name that the container gave it.
public enum IntOrString: Sendable, Hashable, Codable {
    case int(Int)
    case string(String)

    /// Reads a number or a string.
    public init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let number = try? value.decode(Int.self) {  // not a number: then it must be a string
            self = .int(number)
        } else {
            self = .string(try value.decode(String.self))
        }
    }

    /// Writes what it is: a number or a string.
    public func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .int(let number): try value.encode(number)
        case .string(let name): try value.encode(name)
        }
    }
}

extension IntOrString: CustomStringConvertible, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
    public var description: String {
        switch self {
        case .int(let number): return "\(number)"
        case .string(let name): return name
        }
    }

    public init(integerLiteral value: Int) { self = .int(value) }
    public init(stringLiteral value: String) { self = .string(value) }
}
