import CLinux
import Glibc

/// containerd's directory of registry configuration, read anew for each pull: a change counts at once.
struct HostsDirectory: Sendable {
    let path: String

    /// The endpoints of a registry, in the order in which they are asked.
    ///
    /// - Parameter registry: as it stands in an image's name
    /// - Returns: with what deserves a warning
    func endpoints(for registry: String) throws(ImportFailure) -> (endpoints: [RegistryEndpoint], warnings: [String]) {
        for name in Self.names(for: registry) {
            let directory = path + "/" + name
            var status = stat()
            guard stat(directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { continue }
            let file = directory + "/hosts.toml"
            guard let bytes = try readConfiguration(file, limit: HostsFile.largestBytes) else {
                return (try Self.certificatesOnly(directory, registry), [])
            }
            let hosts: HostsFile
            do throws(HostsFileError) {
                hosts = try HostsFile(bytes)
            } catch {
                throw .registry(RegistryFailure(.configuration, "\(file): \(error.reason)"))
            }
            return (
                Self.endpoints(hosts, directory, registry),
                hosts.unknownKeys.map { "\(file): \($0) means nothing here" }
            )
        }
        return (RegistryEndpoint.standard(for: registry), [])
    }

    /// As containerd looks them up: a port may be written `host_5000_`, where a colon is no good name for a directory.
    private static func names(for registry: String) -> [String] {
        var names = [registry, "_default"]
        if let colon = registry.lastIndex(of: ":"), !registry.hasSuffix("]") {
            names.insert("\(registry[..<colon])_\(registry[registry.index(after: colon)...])_", at: 0)
        }
        // Of an image's name: no slash can be in it, and a name of dots alone is none.
        return names.filter { !$0.isEmpty && !$0.hasPrefix(".") && !$0.contains("/") }
    }

    private static func endpoints(_ hosts: HostsFile, _ directory: String, _ registry: String) -> [RegistryEndpoint] {
        hosts.endpoints.flatMap { configured -> [RegistryEndpoint] in
            guard let address = configured.address else {
                return RegistryEndpoint.standard(for: registry).map { fill($0, from: configured, directory) }
            }
            var endpoint = RegistryEndpoint(address: address)
            if !configured.overridesPath && !address.path.hasSuffix("/v2") { endpoint.address.path += "/v2" }
            let own = RegistryEndpoint.standard(for: registry).map(\.address.authority)
            if !own.contains(address.authority) { endpoint.namespace = registry }
            return [fill(endpoint, from: configured, directory)]
        }
    }

    private static func fill(
        _ endpoint: RegistryEndpoint, from configured: HostsFile.Endpoint, _ directory: String
    ) -> RegistryEndpoint {
        var endpoint = endpoint
        func absolute(_ file: String) -> String { file.hasPrefix("/") ? file : directory + "/" + file }
        endpoint.canPull = configured.canPull
        endpoint.canResolve = configured.canResolve
        endpoint.headers = configured.headers.map { RegistryEndpoint.Header(name: $0.name, value: $0.value) }
        endpoint.dialTimeout = configured.dialTimeout
        endpoint.tls.authorities = configured.authorities.map(absolute)
        endpoint.tls.skipsVerification = configured.skipsVerification
        if let client = configured.clients.first {
            endpoint.tls.certificate = absolute(client.certificate)
            endpoint.tls.key = absolute(client.key ?? client.certificate)
        }
        return endpoint
    }

    /// docker's older layout: `*.crt` are authorities, `*.cert` and `*.key` belong to a client.
    private static func certificatesOnly(
        _ directory: String, _ registry: String
    ) throws(ImportFailure) -> [RegistryEndpoint] {
        let opened = try OpenFile.directory(directory)
        let names = try TreeRemoval.names(in: opened.fd, path: directory).map { name in
            String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }.sorted()
        var tls = RegistryEndpoint.TLSFiles()
        for name in names {
            if name.hasSuffix(".crt") { tls.authorities.append(directory + "/" + name) }
            if name.hasSuffix(".cert"), tls.certificate == nil {
                tls.certificate = directory + "/" + name
                tls.key = directory + "/" + name.dropLast(5) + ".key"
            }
        }
        return RegistryEndpoint.standard(for: registry).map { endpoint in
            var endpoint = endpoint
            endpoint.tls = tls
            return endpoint
        }
    }
}

/// A file of the administrator's, which may be a symbolic link; nil when it isn't there.
func readConfiguration(_ path: String, limit: Int) throws(ImportFailure) -> [UInt8]? {
    var resolved = [CChar](repeating: 0, count: Int(PATH_MAX))
    guard realpath(path, &resolved) != nil else {
        if errno == ENOENT || errno == ENOTDIR { return nil }
        throw .call("read", path, -errno)
    }
    let end = resolved.firstIndex(of: 0) ?? resolved.endIndex
    return try readFile(String(decoding: resolved[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self), limit: limit)
}
