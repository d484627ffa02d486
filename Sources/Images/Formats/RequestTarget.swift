/// Where one HTTP request goes: an address, and what stands behind it.
struct RequestTarget: Hashable, Sendable, CustomStringConvertible {
    /// Without a path of its own.
    var address: HostAddress
    /// Begins with a slash.
    var path: String
    /// Without its question mark; nil for none.
    var query: String?

    var description: String { address.description + path + (query.map { "?" + $0 } ?? "") }
    /// Without the query, which may have secrets in it.
    var shown: String { address.description + printable(path.utf8) }

    init(address: HostAddress, path: String, query: String? = nil) {
        self.path = address.path + path
        self.address = address
        self.address.path = ""
        self.query = query
    }

    /// A whole URL; nil for what is none, or isn't HTTP.
    init?(_ text: String) {
        guard Self.isLegal(text), let scheme = text.firstRange(of: "://") else { return nil }
        let end = text[scheme.upperBound...].firstIndex { "/?#".contains($0) } ?? text.endIndex
        guard let address = HostAddress(String(text[..<end])) else { return nil }
        self.address = address
        (path, query) = Self.cut(text[end...])
    }

    /// Where a `Location` field leads from here (RFC 3986, 5.2); nil for what is no URL.
    func followed(by location: String) -> RequestTarget? {
        guard Self.isLegal(location) else { return nil }
        if location.hasPrefix("//") { return RequestTarget(address.scheme + ":" + location) }
        if location.prefix(while: { !"/?#".contains($0) }).contains(":") { return RequestTarget(location) }
        var target = self
        if location.hasPrefix("/") {
            (target.path, target.query) = Self.cut(location[...])
        } else if location.hasPrefix("?") {
            target.query = Self.cut(location[...]).query
        } else {
            let directory = path[...(path.lastIndex(of: "/") ?? path.startIndex)]
            (target.path, target.query) = Self.cut(Substring(directory + location))
        }
        return target
    }

    /// Where a server leads that was asked for this.
    ///
    /// - Throws: where nobody should be led
    func next(_ location: String) throws(RegistryFailure) -> RequestTarget {
        guard !location.isEmpty, let next = followed(by: location) else {
            throw RegistryFailure(
                .refused, url: shown, "leads to \"\(printable(location.utf8))\", which is no URL")
        }
        guard next.address.isSecure || !address.isSecure else {
            throw RegistryFailure(.refused, url: shown, "leads from HTTPS to plain HTTP (\(next.shown))")
        }
        return next
    }

    private static func isLegal(_ text: String) -> Bool {
        text.utf8.count <= 8192 && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
    }

    private static func cut(_ text: Substring) -> (path: String, query: String?) {
        let plain = text.prefix { $0 != "#" }
        let path = plain.prefix { $0 != "?" }
        let query = plain.dropFirst(path.count)
        return (path.isEmpty ? "/" : String(path), query.isEmpty ? nil : String(query.dropFirst()))
    }

    /// Escapes what may not stand in a query's value.
    static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var output: [UInt8] = []
        for byte in text.utf8 {
            let isPlain =
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || "-._~/:,".utf8.contains(byte)
            output += isPlain ? [byte] : [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        return String(decoding: output, as: UTF8.self)
    }
}
