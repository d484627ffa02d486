/// The rules for names (k8s.io/apimachinery's validation): each function tells what is wrong, nothing when all is well.
public enum Names {
    static func label(_ text: String) -> [String] {
        var problems = longerThan(63, text)
        if !isLabel(text.utf8[...]) { problems.append(labelRule) }
        return problems
    }

    /// What is wrong with a text as a DNS-1123 subdomain; nothing for one that is.
    public static func subdomain(_ text: String) -> [String] {
        var problems = longerThan(253, text)
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        if !parts.allSatisfy({ isLabel($0) }) { problems.append(subdomainRule) }
        return problems
    }

    /// A label's or annotation's key: an optional domain before a slash, and a name.
    static func qualified(_ text: String) -> [String] {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        var problems: [String] = []
        let name: String
        switch parts.count {
        case 1: name = text
        case 2:
            name = String(parts[1])
            if parts[0].isEmpty {
                problems.append("prefix part must be non-empty")
            } else {
                problems += subdomain(String(parts[0])).map { "prefix part \($0)" }
            }
        default:
            return ["a qualified name \(qualifiedRule) with an optional DNS subdomain prefix and '/' \(prefixExample)"]
        }
        if name.isEmpty {
            problems.append("name part must be non-empty")
        } else {
            problems += longerThan(63, name).map { "name part \($0)" }
            if !isQualified(name) { problems.append("name part \(qualifiedRule)") }
        }
        return problems
    }

    static func labelValue(_ text: String) -> [String] {
        var problems = longerThan(63, text)
        if !text.isEmpty, !isQualified(text) { problems.append(labelValueRule) }
        return problems
    }

    /// A container port's name (RFC 6335, section 5.1).
    static func port(_ text: String) -> [String] {
        var problems: [String] = []
        if text.utf8.count > 15 { problems.append("must be no more than 15 characters") }
        if !text.utf8.allSatisfy({ isLower($0) || $0 == hyphen }) || text.isEmpty {
            problems.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
        }
        if !text.utf8.contains(where: { $0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z") }) {
            problems.append("must contain at least one letter (a-z)")
        }
        if text.contains("--") { problems.append("must not contain consecutive hyphens") }
        if text.utf8.first == hyphen || text.utf8.last == hyphen {
            problems.append("must not begin or end with a hyphen")
        }
        return problems
    }

    static func environmentVariable(_ text: String) -> [String] {
        let valid = text.utf8.allSatisfy { $0 >= 0x20 && $0 <= 0x7E && $0 != UInt8(ascii: "=") }
        return valid && !text.isEmpty
            ? [] : ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
    }

    static func httpHeader(_ text: String) -> [String] {
        let valid = !text.isEmpty && text.utf8.allSatisfy { isLower($0) || isUpper($0) || $0 == hyphen }
        return valid
            ? []
            : [
                "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', "
                    + "regex used for validation is '[-A-Za-z0-9]+')"
            ]
    }

    /// `kernel.shm_rmid_forced`, or with slashes instead of dots.
    static func isSysctl(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.count <= 253 else { return false }
        let parts = text.utf8.split(omittingEmptySubsequences: false) {
            $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "/")
        }
        return parts.allSatisfy { part in
            guard let first = part.first, let last = part.last, isLower(first), isLower(last) else { return false }
            return part.allSatisfy { isLower($0) || $0 == hyphen || $0 == UInt8(ascii: "_") }
        }
    }

    static func longerThan(_ limit: Int, _ text: String) -> [String] {
        text.utf8.count > limit ? ["must be no more than \(limit) bytes"] : []
    }

    private static func isLabel(_ text: Substring.UTF8View) -> Bool {
        guard let first = text.first, let last = text.last, isLower(first), isLower(last) else { return false }
        return text.allSatisfy { isLower($0) || $0 == hyphen }
    }

    private static func isQualified(_ text: String) -> Bool {
        func alphanumeric(_ byte: UInt8) -> Bool { isLower(byte) || isUpper(byte) }
        guard let first = text.utf8.first, let last = text.utf8.last, alphanumeric(first), alphanumeric(last) else {
            return false
        }
        return text.utf8.allSatisfy {
            alphanumeric($0) || $0 == hyphen || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".")
        }
    }

    private static func isLower(_ byte: UInt8) -> Bool {
        (byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z"))
            || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"))
    }

    private static func isUpper(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") }

    private static let hyphen = UInt8(ascii: "-")

    private static let labelRule =
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
        + "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
        + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
    private static let subdomainRule =
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
        + "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
        + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
    private static let qualifiedRule =
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
        + "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
        + "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
    private static let prefixExample = "(e.g. 'example.com/MyName')"
    private static let labelValueRule =
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
        + "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
        + "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
}
