/// One place that is asked for an image: the registry itself, or a mirror.
struct RegistryEndpoint: Sendable, Hashable {
    /// With the API's path: `https://registry-1.docker.io/v2`.
    var address: HostAddress
    var canPull = true
    var canResolve = true
    /// The registry of the image's name, told to a mirror as `?ns=`; nil for the registry itself.
    var namespace: String?
    var headers: [Header] = []
    var tls = TLSFiles()
    var dialTimeout: Duration?
    /// Asked only when the one before it turns out to speak no plain HTTP.
    var isSecondGuess = false

    struct Header: Sendable, Hashable {
        var name: String
        var value: String
    }

    /// Absolute paths of PEM files.
    struct TLSFiles: Sendable, Hashable {
        var authorities: [String] = []
        var certificate: String?
        var key: String?
        var skipsVerification = false
    }

    /// The endpoints of a registry that nothing is configured for.
    static func standard(for registry: String) -> [RegistryEndpoint] {
        // containerd's default as well: docker.io is a name, and no host that answers.
        let authority = registry == "docker.io" ? "registry-1.docker.io" : registry
        guard let address = HostAddress(scheme: "https", authority: authority) else { return [] }
        let secure = RegistryEndpoint(address: address.with(path: "/v2"))
        guard address.isLoopback, address.port != 443 else { return [secure] }
        // This machine is spoken to in plain, as containerd does too.
        var (plain, second) = (secure, secure)
        plain.address.scheme = "http"
        second.isSecondGuess = true
        return [plain, second]
    }
}

extension HostAddress {
    func with(path: String) -> HostAddress {
        var copy = self
        copy.path = path
        return copy
    }
}
