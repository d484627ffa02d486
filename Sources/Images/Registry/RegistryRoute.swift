/// All that a pull needs to know before its first request: read from the node's files, once.
struct RegistryRoute: Sendable {
    struct Stop: Sendable {
        var endpoint: RegistryEndpoint
        var tls: RegistryEndpoint.TLSFiles.Loaded
        /// For whoever asks there; nil is nobody in particular.
        var credentials: RegistryCredentials?
    }

    let image: ImageReference
    let stops: [Stop]
    /// What deserves a warning.
    let warnings: [String]
    /// A program that is said to have the credentials, and isn't run.
    let helper: String?

    /// - Parameter given: the request's own credentials; they go before those of files
    init(
        to image: ImageReference, given: RegistryCredentials?, _ configuration: RegistryConfiguration
    ) throws(ImportFailure) {
        let hosts = HostsDirectory(path: configuration.hostsDirectory)
        let (endpoints, warnings) = try hosts.endpoints(for: image.domain)
        let files = CredentialFiles(paths: configuration.credentialFiles)
        let (stored, helper) = try files.find(image)
        let given = given.flatMap { $0.isEmpty || !$0.areFor(image.domain) ? nil : $0 }
        var stops: [Stop] = []
        for endpoint in endpoints {
            var credentials = given ?? stored
            if given == nil, endpoint.namespace != nil {
                // What a file keeps for a registry is not its mirror's.
                var mirror = image
                mirror.domain = endpoint.address.authority
                credentials = try files.find(mirror).credentials
            }
            stops.append(Stop(endpoint: endpoint, tls: try endpoint.tls.load(), credentials: credentials))
        }
        self.image = image
        self.stops = stops
        self.warnings = warnings
        self.helper = helper
    }
}
