/// What has to be fetched for one image: all its documents, read and verified, and its layers by name and size.
struct PullPlan: Sendable {
    struct Layer: Sendable {
        var blob: Digest
        var size: UInt64
        var diffID: Digest
        var chainID: Digest
    }

    var id: Digest
    var config: ImageConfig
    /// Manifest, the indexes above it, and the configuration.
    var documents: [(digest: Digest, bytes: [UInt8])]
    /// What the image's digest references name: the topmost of the documents.
    var target: Digest
    var layers: [Layer]
}

/// Follows a name down to a plan: index by index to this host's manifest, and its configuration.
struct PullPlanner: Sendable {
    let client: RegistryClient
    let limits: ImageLimits
    let platform: Platform
    /// What the store has already; content is its own proof.
    let known: @Sendable (Digest) async -> [UInt8]?

    func plan(_ image: ImageReference) async throws(ImportFailure) -> PullPlan {
        let digest = image.digest.flatMap { Digest($0) }
        var document = try await client.document(
            RegistryClient.Wish(
                path: "/manifests/" + (digest?.description ?? image.tag ?? "latest"), accept: MediaType.accept),
            by: digest == nil ? .resolve : .pull, digest: digest, limit: limits.documentBytes)
        let target = document.digest
        var documents: [(digest: Digest, bytes: [UInt8])] = []
        while true {
            let entry = "manifest \(document.digest)"
            let manifest = try decode(ManifestDocument.self, document.bytes, entry: entry)
            try manifest.check(stated: document.mediaType, entry: entry)
            documents.append((document.digest, document.bytes))
            guard let manifests = manifest.manifests else {
                return try await plan(manifest, documents, target, entry)
            }
            guard documents.count < limits.indexDepth else {
                throw .refused(entry: entry, reason: "indexes nested deeper than \(limits.indexDepth)")
            }
            let child = try choose(manifests, entry)
            document = try await fetch(child, "/manifests/", entry)
        }
    }

    private func choose(_ manifests: [Descriptor], _ entry: String) throws(ImportFailure) -> Descriptor {
        if let best = platform.best(of: manifests) { return best }
        let others = Set(
            manifests.filter { !$0.isAttestation }.map { descriptor in
                let platform = descriptor.platform
                return [platform?.os, platform?.architecture, platform?.variant].compactMap { $0 }
                    .map { printable($0.utf8) }.joined(separator: "/")
            })
        throw .registry(
            RegistryFailure(
                .notFound, "\(entry): no image for \(platform.description) in it",
                advice: others.isEmpty ? "" : "it has " + others.sorted().prefix(16).joined(separator: ", ")))
    }

    private func fetch(
        _ descriptor: Descriptor, _ path: String, _ entry: String
    ) async throws(ImportFailure) -> FetchedDocument {
        let digest = try Self.digest(descriptor, entry)
        guard descriptor.size >= 0, descriptor.size <= limits.documentBytes else {
            throw .refused(
                entry: entry, reason: "\(digest) has \(descriptor.size) bytes; \(limits.documentBytes) are the most")
        }
        if let bytes = await known(digest), bytes.count == descriptor.size {
            return FetchedDocument(bytes: bytes, digest: digest, mediaType: descriptor.mediaType)
        }
        var document = try await client.document(
            RegistryClient.Wish(path: "\(path)\(digest)", accept: path == "/manifests/" ? MediaType.accept : nil),
            by: .pull, digest: digest, size: descriptor.size, limit: limits.documentBytes)
        document.mediaType = descriptor.mediaType ?? document.mediaType
        return document
    }

    private static func digest(_ descriptor: Descriptor, _ entry: String) throws(ImportFailure) -> Digest {
        guard let digest = Digest(descriptor.digest) else {
            throw .refused(
                entry: entry,
                reason: "the digest \(printable(descriptor.digest.utf8)) is no sha256 digest, which is all that is done"
            )
        }
        return digest
    }

    private func plan(
        _ manifest: ManifestDocument, _ documents: [(digest: Digest, bytes: [UInt8])], _ target: Digest, _ entry: String
    ) async throws(ImportFailure) -> PullPlan {
        // Both are there: the document was checked.
        let layers = manifest.layers ?? []
        guard let config = manifest.config else { throw .refused(entry: entry, reason: "no configuration") }
        try MediaType.checkConfiguration(config.mediaType, entry: entry)
        guard layers.count <= limits.layers else {
            throw .refused(entry: entry, reason: "\(layers.count) layers, more than \(limits.layers)")
        }
        var blobs: [(digest: Digest, size: UInt64)] = []
        for layer in layers {
            let digest = try Self.digest(layer, entry)
            try MediaType.checkLayer(layer.mediaType, entry: "\(entry): layer \(digest)")
            guard layer.size >= 0, UInt64(layer.size) <= limits.layerBytes else {
                throw .refused(
                    entry: entry,
                    reason: "the layer \(digest) has \(layer.size) bytes; \(limits.layerBytes) are the most")
            }
            blobs.append((digest, UInt64(layer.size)))
        }
        let document = try await fetch(config, "/blobs/", entry)
        let judged: JudgedConfiguration
        do throws(ImportFailure) {
            judged = try JudgedConfiguration(
                document.bytes, layers: layers.count, platform: platform, limits: limits)
        } catch {
            throw error.inside("configuration \(document.digest)")
        }
        return PullPlan(
            id: judged.id, config: judged.image, documents: documents + [(judged.id, document.bytes)], target: target,
            layers: zip(blobs, zip(judged.diffIDs, judged.chainIDs)).map { blob, ids in
                PullPlan.Layer(blob: blob.digest, size: blob.size, diffID: ids.0, chainID: ids.1)
            })
    }
}
