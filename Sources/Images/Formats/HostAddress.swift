/// Where a registry's endpoint is: a URL without query, cut into what requests are made of.
struct HostAddress: Hashable, Sendable, CustomStringConvertible {
    /// `http` or `https`.
    var scheme: String
    /// Lowercase; an IPv6 address in its brackets.
    var host: String
    /// nil for the scheme's own.
    var port: Int?
    /// Without a slash at its end; empty for none.
    var path: String

    /// `host[:port]`.
    var authority: String { port.map { "\(host):\($0)" } ?? host }
    var effectivePort: Int { port ?? (scheme == "https" ? 443 : 80) }
    var description: String { "\(scheme)://\(authority)\(path)" }
    var isSecure: Bool { scheme == "https" }

    /// Who answers there: what is meant for one is for no other.
    struct Origin: Hashable, Sendable {
        var scheme: String
        var host: String
        var port: Int
    }

    var origin: Origin { Origin(scheme: scheme, host: host, port: effectivePort) }

    /// This machine itself.
    var isLoopback: Bool {
        if host == "localhost" || host == "[::1]" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    init(scheme: String, host: String, port: Int?, path: String = "") {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.path = path
    }

    /// Reads `https://host[:port][/path]`; nil for anything else, also for a user name in it and for a query.
    init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { return nil }
        self.init(scheme: text[..<colon].lowercased(), rest: text[colon...].dropFirst(3))
    }

    private init?(scheme: String, rest: Substring) {
        guard scheme == "http" || scheme == "https", rest.utf8.count <= 2048,
            rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 0x5c }), !rest.contains("?"), !rest.contains("#")
        else { return nil }
        var path = String(rest.drop { $0 != "/" })
        while path.hasSuffix("/") { path.removeLast() }
        guard let (host, port) = Self.cut(rest.prefix { $0 != "/" }) else { return nil }
        self.init(scheme: scheme, host: host, port: port, path: path)
    }

    /// `host[:port]`, as it stands in an image's name.
    init?(scheme: String, authority: String) {
        guard let (host, port) = Self.cut(authority[...]) else { return nil }
        self.init(scheme: scheme, host: host, port: port)
    }

    private static func cut(_ authority: Substring) -> (host: String, port: Int?)? {
        var host = authority
        var port: Int?
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            let digits = authority[authority.index(after: colon)...]
            guard let number = UInt16(digits), number > 0, digits.first != "+" else { return nil }
            port = Int(number)
            host = authority[..<colon]
        }
        let isLegal: Bool
        if host.hasPrefix("["), host.hasSuffix("]"), host.utf8.count > 2 {
            isLegal = host.dropFirst().dropLast().utf8.allSatisfy { isHexadecimal($0) || $0 == 0x3a || $0 == 0x2e }
        } else {
            isLegal = host.utf8.allSatisfy { isNameByte($0) }
        }
        guard !host.isEmpty, host.utf8.count <= 255, isLegal else { return nil }
        return (host.lowercased(), port)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 45 || byte == 46
            || byte == 95
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...70).contains(byte) || (97...102).contains(byte)
    }
}
