/// The node's own credentials, read anew for each pull.
struct CredentialFiles: Sendable {
    let paths: [String]

    /// Those of the first file that knows the registry.
    ///
    /// - Returns: `helper` names a program that is said to have them, and isn't run
    func find(_ image: ImageReference) throws(ImportFailure) -> (credentials: RegistryCredentials?, helper: String?) {
        var helper: String?
        for path in paths {
            guard let bytes = try readConfiguration(path, limit: DockerConfig.largestBytes) else { continue }
            let config: DockerConfig
            do throws(ImportFailure) {
                config = try DockerConfig(bytes, entry: path)
            } catch {
                guard case .refused(_, let reason) = error else { throw error }
                throw .registry(RegistryFailure(.configuration, "\(path): \(reason)"))
            }
            if let found = config.credentials(registry: image.domain, repository: image.path) { return (found, nil) }
            helper = helper ?? config.helper(registry: image.domain, repository: image.path)
        }
        return (nil, helper)
    }
}
