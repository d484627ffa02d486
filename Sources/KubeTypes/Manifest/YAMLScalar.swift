import Yams

/// What a YAML scalar means to Kubernetes: YAML 1.1 as Go's reader has it, where `yes` is a boolean, `0644` an octal
/// number and a date a string.
enum YAMLScalar {
    /// The value; nil when the tag fits no such text.
    static func resolve(_ scalar: Node.Scalar) -> ManifestNode.Value? {
        let text = scalar.string
        let name = scalar.tag.description
        let plain = scalar.style == .plain || scalar.style == .any
        switch name {
        case "",
            "tag:yaml.org,2002:str" where plain && name.isEmpty:
            return plain ? resolve(plain: text) : .string(text)
        case "tag:yaml.org,2002:str", "!": return .string(text)
        case "tag:yaml.org,2002:int":
            if case .int(let value, _)? = number(text) { return .int(value, text: text) }
            return nil
        case "tag:yaml.org,2002:float": return number(text)
        case "tag:yaml.org,2002:bool":
            if case .bool(let value, _) = resolve(plain: text) { return .bool(value, text: text) }
            return nil
        case "tag:yaml.org,2002:null": return .null
        case "tag:yaml.org,2002:binary":
            return Base64.decode(text).flatMap { String(validating: $0, as: UTF8.self) }.map { .string($0) }
        default: return nil
        }
    }

    /// A key's name: numbers and booleans become strings; nil for null.
    static func key(_ scalar: Node.Scalar) -> String? {
        switch resolve(scalar) {
        case .string(let text)?: text
        case .bool(let flag, _)?: flag ? "true" : "false"
        case .int(let value, _)?: "\(value)"
        case .float(_, let text)?: text
        default: nil
        }
    }

    static func resolve(plain text: String) -> ManifestNode.Value {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON": return .bool(true, text: text)
        case "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF":
            return .bool(false, text: text)
        default: return number(text) ?? .string(text)
        }
    }

    /// A number in any of YAML 1.1's writings; nil for other texts.
    private static func number(_ text: String) -> ManifestNode.Value? {
        switch text {
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .float(.infinity, text: text)
        case "-.inf", "-.Inf", "-.INF": return .float(-.infinity, text: text)
        case ".nan", ".NaN", ".NAN": return .float(.nan, text: text)
        default: break
        }
        guard let first = text.utf8.first, "+-.0123456789".utf8.contains(first), text.utf8.count <= 400 else {
            return nil
        }
        let digits = text.filter { $0 != "_" }
        if let value = integer(digits) { return .int(value, text: text) }
        guard isDecimal(digits), let value = Double(digits) else { return nil }
        return .float(value, text: digits)
    }

    private static func integer(_ text: String) -> Int64? {
        let negative = text.hasPrefix("-")
        let digits = text.drop { $0 == "-" || $0 == "+" }
        guard text.utf8.count - digits.utf8.count <= 1, digits.first?.isNumber == true else { return nil }
        let sign = negative ? "-" : ""
        let lower = digits.lowercased()
        for (prefix, radix) in [("0x", 16), ("0b", 2), ("0o", 8)] where lower.hasPrefix(prefix) {
            return digits.dropFirst(2).first == "-" ? nil : Int64(sign + digits.dropFirst(2), radix: radix)
        }
        if digits.utf8.count > 1, digits.utf8.first == UInt8(ascii: "0") { return Int64(sign + digits, radix: 8) }
        return Int64(sign + digits)
    }

    /// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
    private static func isDecimal(_ text: String) -> Bool {
        var rest = Substring(text)[...]
        func digits() -> Int {
            let count = rest.utf8.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }.count
            rest = rest.dropFirst(count)
            return count
        }
        if rest.first == "-" || rest.first == "+" { rest.removeFirst() }
        var count = digits()
        if rest.first == "." {
            rest.removeFirst()
            count += digits()
        }
        guard count > 0 else { return false }
        if rest.first == "e" || rest.first == "E" {
            rest.removeFirst()
            if rest.first == "-" || rest.first == "+" { rest.removeFirst() }
            guard digits() > 0 else { return false }
        }
        return rest.isEmpty
    }
}
