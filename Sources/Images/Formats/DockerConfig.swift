import FoundationEssentials

/// Credentials by registry, as `docker login` writes them (docker's `config.json`, key `auths`).
///
/// Programs that keep credentials (`credsStore`, `credHelpers`) are never run; their names are kept for an error's text.
struct DockerConfig: Sendable {
    static let largestBytes = 1 << 20

    private struct Document: Decodable {
        var auths: [String: Entry]?
        var credsStore: String?
        var credHelpers: [String: String]?
    }

    private struct Entry: Decodable {
        var auth: String?
        var username: String?
        var password: String?
        var identitytoken: String?
        var registrytoken: String?
    }

    /// By `host[:port][/path]`.
    private(set) var credentials: [String: RegistryCredentials] = [:]
    /// Registries whose credentials a program has, which isn't run.
    private(set) var helpers: [String: String] = [:]

    /// - Throws: what is wrong with the document; never what is in it
    init(_ bytes: [UInt8], entry: String) throws(ImportFailure) {
        let document = try decode(Document.self, bytes, entry: entry)
        for (name, entry) in document.auths ?? [:] {
            let credentials = RegistryCredentials(
                username: entry.username ?? "", password: entry.password ?? "", auth: entry.auth ?? "",
                identityToken: entry.identitytoken ?? "", registryToken: entry.registrytoken ?? "")
            if credentials.isEmpty {
                if let store = document.credsStore { helpers[Self.key(name)] = store }
            } else {
                self.credentials[Self.key(name)] = credentials
            }
        }
        for (name, helper) in document.credHelpers ?? [:] { helpers[Self.key(name)] = helper }
    }

    /// `https://index.docker.io/v1/` is what docker calls `docker.io`.
    private static func key(_ name: String) -> String {
        var key = name[...]
        for scheme in ["https://", "http://"] where key.hasPrefix(scheme) { key = key.dropFirst(scheme.count) }
        while key.hasSuffix("/") { key.removeLast() }
        for version in ["/v1", "/v2"] where key.hasSuffix(version) { key = key.dropLast(version.count) }
        let host = key.prefix { $0 != "/" }
        let isDocker = ["index.docker.io", "registry-1.docker.io", "docker.io"].contains(host.lowercased())
        return (isDocker ? "docker.io" : host.lowercased()) + key.dropFirst(host.count)
    }

    /// The credentials for a registry's images, by the longest path that fits.
    ///
    /// - Parameters:
    ///   - registry: as it stands in an image's name
    ///   - repository: the name's path
    func credentials(registry: String, repository: String) -> RegistryCredentials? {
        Self.find(credentials, registry, repository)
    }

    func helper(registry: String, repository: String) -> String? { Self.find(helpers, registry, repository) }

    private static func find<Value>(_ values: [String: Value], _ registry: String, _ repository: String) -> Value? {
        var path = repository.split(separator: "/")[...]
        while true {
            let key = ([Substring(registry.lowercased())] + path).joined(separator: "/")
            if let value = values[key] { return value }
            if path.popLast() == nil { return nil }
        }
    }
}
