/// An image's name in full: docker's rules for short names, and the grammar of OCI distribution.
public struct ImageReference: Sendable, Hashable, CustomStringConvertible {
    /// The registry, `docker.io` when none is written.
    public var domain: String
    /// `library/busybox`.
    public var path: String
    public var tag: String?
    /// `sha256:…`.
    public var digest: String?

    /// `docker.io/library/busybox`.
    public var name: String { "\(domain)/\(path)" }

    public var description: String {
        var text = name
        if let tag { text += ":\(tag)" }
        if let digest { text += "@\(digest)" }
        return text
    }

    /// Reads a reference as people write it: `busybox` is `docker.io/library/busybox:latest`, `localhost/web` is
    /// `localhost/web:latest`. A reference with a digest gets no tag of its own.
    ///
    /// - Throws: ``ImageError/invalidReference(_:reason:)`` with the rule that it breaks
    public init(_ text: String) throws(ImageError) {
        guard text.utf8.count <= 512 else { throw Self.wrong(text, "longer than 512 bytes") }
        var rest = Substring(text)
        if let at = rest.firstIndex(of: "@") {
            let digest = String(rest[rest.index(after: at)...])
            // What is a login is nobody's business.
            guard !digest.contains("/") else {
                throw Self.wrong("…@" + digest, "a login is no part of an image's name; give it as credentials")
            }
            guard Digest(digest) != nil else {
                throw Self.wrong(text, "the digest must be sha256: and 64 hexadecimal digits")
            }
            self.digest = digest
            rest = rest[..<at]
        }
        // A colon after the last slash begins the tag; one before it is a registry's port.
        let lastSlash = rest.lastIndex(of: "/")
        if let colon = rest.lastIndex(of: ":"), lastSlash.map({ $0 < colon }) ?? true {
            let tag = rest[rest.index(after: colon)...]
            guard Self.isTag(tag) else {
                throw Self.wrong(
                    text, "a tag is 1 to 128 letters, digits, '_', '.' and '-', and begins with none of the last two")
            }
            self.tag = String(tag)
            rest = rest[..<colon]
        }
        if tag == nil && digest == nil { tag = "latest" }
        let first = rest.prefix { $0 != "/" }
        if first.count < rest.count,
            first == "localhost" || first.contains(where: { $0 == "." || $0 == ":" || $0.isUppercase })
        {
            guard Self.isDomain(first) else { throw Self.wrong(text, "\"\(first)\" is no registry's name") }
            domain = first == "index.docker.io" ? "docker.io" : String(first)
            path = String(rest[rest.index(after: first.endIndex)...])
        } else {
            domain = "docker.io"
            path = String(rest)
        }
        if domain == "docker.io" && !path.contains("/") { path = "library/" + path }
        guard !rest.isEmpty else { throw Self.wrong(text, "no name") }
        guard path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy(Self.isPathComponent) else {
            throw Self.wrong(
                text,
                "a name is lowercase letters and digits, separated by '.', '_', '__' or '-', with '/' between its parts"
            )
        }
        guard name.utf8.count <= 255 else { throw Self.wrong(text, "the name is longer than 255 bytes") }
        if digest == nil, Digest(hex: rest) != nil {
            throw Self.wrong(text, "64 hexadecimal digits are an id, not a name")
        }
    }

    private static func wrong(_ text: String, _ reason: String) -> ImageError {
        .invalidReference(printable(text.utf8), reason: reason)
    }

    private static func isTag(_ tag: Substring) -> Bool {
        guard let first = tag.utf8.first, tag.utf8.count <= 128, first != 45, first != 46 else { return false }
        return tag.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == 95 || $0 == 45 || $0 == 46 }
    }

    private static func isDomain(_ domain: Substring) -> Bool {
        var host = domain
        if let colon = domain.lastIndex(of: ":"), !domain.hasSuffix("]") {
            let port = domain[domain.index(after: colon)...]
            guard let number = UInt16(port), number > 0, port.utf8.allSatisfy(isDigit) else { return false }
            host = domain[..<colon]
        }
        if host.hasPrefix("[") && host.hasSuffix("]") {
            return host.dropFirst().dropLast().utf8.allSatisfy { isHexadecimal($0) || $0 == 58 || $0 == 46 }
        }
        return host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            guard let first = label.utf8.first, let last = label.utf8.last, first != 45, last != 45 else {
                return false
            }
            return label.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == 45 }
        }
    }

    /// `[a-z0-9]+` with separators between, never at an end (distribution-spec, "Pulling manifests").
    private static func isPathComponent(_ part: Substring) -> Bool {
        var separator: [UInt8] = []
        var any = false
        for byte in part.utf8 {
            if isDigit(byte) || (97...122).contains(byte) {
                let legal: Bool =
                    separator.isEmpty
                    || any
                        && (separator == [46] || separator == [95] || separator == [95, 95]
                            || separator.allSatisfy { $0 == 45 })
                guard legal else { return false }
                separator = []
                any = true
            } else if byte == 46 || byte == 95 || byte == 45 {
                separator.append(byte)
            } else {
                return false
            }
        }
        return any && separator.isEmpty
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) }
    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        isDigit(byte) || (65...70).contains(byte) || (97...102).contains(byte)
    }
}
