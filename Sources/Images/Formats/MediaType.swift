/// What the documents and blobs of images are, by the names that registries give them (OCI image-spec 1.1, media-types.md;
/// Docker's image manifest version 2, schema 2).
enum MediaType {
    static let indexes = [
        "application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json",
    ]
    static let manifests = [
        "application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json",
    ]
    private static let configurations = [
        "application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json", "",
    ]
    private static let layers = [
        "application/vnd.oci.image.layer.v1.tar", "application/vnd.docker.image.rootfs.diff.tar",
    ]
    private static let compressions = ["", "+gzip", ".gzip", "+zstd", ".zstd"]

    static let accept = (indexes + manifests).joined(separator: ", ")

    static func checkConfiguration(_ type: String?, entry: String) throws(ImportFailure) {
        guard let type, !configurations.contains(type) else { return }
        throw .refused(
            entry: entry, reason: "not a container image: its configuration is \(printable(type.utf8))")
    }

    static func checkLayer(_ type: String?, entry: String) throws(ImportFailure) {
        let type = type ?? ""
        if layers.contains(where: { layer in compressions.contains { type == layer + $0 } }) { return }
        let shown = printable(type.utf8)
        if type.hasSuffix("+encrypted") { throw .refused(entry: entry, reason: "an encrypted layer (\(shown))") }
        if type.contains("nondistributable") || type.contains("foreign") {
            throw .refused(
                entry: entry,
                reason: "a layer that its registry may not hand out (\(shown)): foreign layers aren't fetched")
        }
        throw .refused(entry: entry, reason: "a layer of a kind that is not known: \"\(shown)\"")
    }
}

extension Descriptor {
    /// BuildKit's provenance, which is packed like an image for the platform unknown/unknown.
    var isAttestation: Bool {
        annotations?["vnd.docker.reference.type"] == "attestation-manifest" || platform?.architecture == "unknown"
    }
}

extension Platform {
    /// The image of an index that this host runs best; nil when none fits.
    func best(of manifests: [Descriptor]) -> Descriptor? {
        manifests.filter { !$0.isAttestation }
            .compactMap { descriptor in rank(descriptor.platform).map { (rank: $0, descriptor: descriptor) } }
            .min { $0.rank < $1.rank }?.descriptor
    }
}

extension ManifestDocument {
    /// An index or a manifest, and never both at once: whoever reads it has to come to the same image (CVE-2021-41190).
    ///
    /// - Parameter stated: what the registry calls it
    func check(stated: String?, entry: String) throws(ImportFailure) {
        let types = [mediaType, stated].compactMap { $0 }.filter { !$0.isEmpty }
        for type in types where type.hasPrefix("application/vnd.docker.distribution.manifest.v1+") {
            throw .refused(entry: entry, reason: "a manifest of docker's schema 1, which isn't done: push it again")
        }
        guard schemaVersion == nil || schemaVersion == 2 else {
            throw .refused(entry: entry, reason: "schema version \(schemaVersion ?? 0) is not known")
        }
        guard manifests == nil || config == nil && layers == nil else {
            throw .refused(entry: entry, reason: "an index and a manifest at once: nobody can say which image it is")
        }
        guard manifests != nil || config != nil && layers != nil else {
            throw .refused(entry: entry, reason: "neither an image manifest nor an index")
        }
        let (expected, other) = manifests != nil ? (MediaType.indexes, "an index") : (MediaType.manifests, "a manifest")
        for type in types where (MediaType.indexes + MediaType.manifests).contains(type) && !expected.contains(type) {
            throw .refused(entry: entry, reason: "called \(type), and it is \(other)")
        }
    }
}
