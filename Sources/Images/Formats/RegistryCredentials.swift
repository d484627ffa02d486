/// Who asks a registry: the fields of the CRI's `AuthConfig`, any of which may be empty.
public struct RegistryCredentials: Sendable, Hashable, CustomStringConvertible {
    public var username: String
    public var password: String
    /// Base64 of `username:password`.
    public var auth: String
    /// The registry that they are for; empty for whichever the image's name names.
    public var serverAddress: String
    /// Exchanged for an access token at the registry's token server (OAuth2's refresh token).
    public var identityToken: String
    /// Shown to the registry as it is.
    public var registryToken: String

    public init(
        username: String = "", password: String = "", auth: String = "", serverAddress: String = "",
        identityToken: String = "", registryToken: String = ""
    ) {
        self.username = username
        self.password = password
        self.auth = auth
        self.serverAddress = serverAddress
        self.identityToken = identityToken
        self.registryToken = registryToken
    }

    public var isEmpty: Bool { username.isEmpty && auth.isEmpty && identityToken.isEmpty && registryToken.isEmpty }

    /// Says what there is, and nothing of it.
    public var description: String {
        if !registryToken.isEmpty { return "a registry token" }
        if !identityToken.isEmpty { return "an identity token" }
        return isEmpty ? "no credentials" : "a password"
    }

    /// User and password in plain, whichever way they came; nil without them.
    ///
    /// - Throws: when `auth` is not what it has to be
    func basic() throws(ImportFailure) -> (username: String, password: String)? {
        if !username.isEmpty { return (username, password) }
        guard !auth.isEmpty else { return nil }
        guard let bytes = Base64.decode(auth), let text = String(validating: bytes, as: UTF8.self),
            let colon = text.firstIndex(of: ":")
        else { throw .refused(entry: nil, reason: "the credentials' auth is not Base64 of USERNAME:PASSWORD") }
        var password = text[text.index(after: colon)...]
        // Old docker versions filled the password up with zeros.
        while password.utf8.last == 0 { password.removeLast() }
        return (String(text[..<colon]), String(password))
    }

    /// Are they for that registry?
    func areFor(_ registry: String) -> Bool {
        guard !serverAddress.isEmpty else { return true }
        var address = serverAddress.lowercased()[...]
        for scheme in ["https://", "http://"] where address.hasPrefix(scheme) {
            address = address.dropFirst(scheme.count)
        }
        let host = String(address.prefix { $0 != "/" })
        let docker = ["docker.io", "index.docker.io", "registry-1.docker.io"]
        return host == registry.lowercased() || docker.contains(host) && docker.contains(registry)
    }
}
