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
}
