/// Reads an OCI image layout (image-spec 1.1, image-layout.md) from its index.json down, and chooses this host's images.
struct OCIArchive {
    private let contents: TarballContents
    private let stem: String
    private let platform: Platform
    private let limits: ImageLimits

    init(_ contents: TarballContents, stem: String, platform: Platform, limits: ImageLimits) {
        self.contents = contents
        self.stem = stem
        self.platform = platform
        self.limits = limits
    }

    private typealias Document = (digest: Digest, bytes: [UInt8])

    func plans() throws(ImportFailure) -> [ImagePlan] {
        let index = try decode(ManifestDocument.self, contents.document("index.json"), entry: "index.json")
        let descriptors = (index.manifests ?? []).filter { !$0.isAttestation }
        guard descriptors.count <= limits.images else {
            throw .refused(entry: "index.json", reason: "\(descriptors.count) images, more than \(limits.images)")
        }
        guard !descriptors.isEmpty else { throw .refused(entry: "index.json", reason: "no images in it") }
        // The same name several times is one image for several platforms.
        var order: [String] = []
        var groups: [String: [Descriptor]] = [:]
        for descriptor in descriptors {
            let name = try reference(descriptor)?.description ?? ""
            if groups[name] == nil { order.append(name) }
            groups[name, default: []].append(descriptor)
        }
        var plans: [ImagePlan] = []
        for name in order {
            for descriptor in choose(groups[name] ?? [], all: name.isEmpty) {
                guard var plan = try plan(descriptor, above: [], depth: 1) else { continue }
                if let reference = try reference(descriptor) { plan.names = [reference] }
                if let same = plans.firstIndex(where: { $0.id == plan.id }) {
                    plans[same].names += plan.names
                } else {
                    plans.append(plan)
                }
            }
        }
        return plans
    }

    /// The best fit of one image's platforms. Without names nothing says that they belong together unless they say what
    /// they are for.
    private func choose(_ descriptors: [Descriptor], all: Bool) -> [Descriptor] {
        let fitting = descriptors.compactMap { descriptor in
            platform.rank(descriptor.platform).map { (rank: $0, descriptor: descriptor) }
        }
        if all {
            let unmarked = fitting.filter { $0.descriptor.platform == nil }.map(\.descriptor)
            let best = fitting.filter { $0.descriptor.platform != nil }.min { $0.rank < $1.rank }
            return unmarked + (best.map { [$0.descriptor] } ?? [])
        }
        return fitting.min { $0.rank < $1.rank }.map { [$0.descriptor] } ?? []
    }

    /// Follows indexes down to the manifest; nil when nothing below fits this host.
    private func plan(_ descriptor: Descriptor, above: [Document], depth: Int) throws(ImportFailure) -> ImagePlan? {
        guard depth <= limits.indexDepth else {
            throw .refused(entry: "index.json", reason: "indexes nested deeper than \(limits.indexDepth)")
        }
        let (bytes, digest) = try contents.blob(descriptor)
        let name = "blobs/sha256/" + digest.hex
        let document = try decode(ManifestDocument.self, bytes, entry: name)
        try document.check(stated: descriptor.mediaType, entry: name)
        let documents = above + [(digest, bytes)]
        if let manifests = document.manifests {
            guard let best = platform.best(of: manifests) else { return nil }
            return try plan(best, above: documents, depth: depth + 1)
        }
        guard let config = document.config, let layers = document.layers else {
            throw .refused(entry: name, reason: "neither an image manifest nor an index")
        }
        try MediaType.checkConfiguration(config.mediaType, entry: name)
        var named: [(name: String, blob: Digest?)] = []
        for layer in layers {
            let (blob, digest) = try TarballContents.blobName(layer)
            if let type = layer.mediaType, type.hasSuffix("+encrypted") {
                throw .refused(entry: blob, reason: "an encrypted layer, which is not done")
            }
            guard Int64(exactly: try contents.part(blob).length) == layer.size else {
                throw .refused(entry: blob, reason: "not the \(layer.size) bytes that were announced")
            }
            named.append((blob, digest))
        }
        let (configBytes, configDigest) = try contents.blob(config)
        var plan = try ImagePlan(
            config: configBytes, configName: "blobs/sha256/" + configDigest.hex, layers: named, contents: contents,
            platform: platform, limits: limits)
        plan.documents = documents
        plan.target = documents.first?.digest
        return plan
    }

    /// containerd's annotation has the full name. The standard one is, by whoever wrote it, a full name or only a tag.
    private func reference(_ descriptor: Descriptor) throws(ImportFailure) -> ImageReference? {
        let annotations = descriptor.annotations ?? [:]
        if let name = annotations["io.containerd.image.name"], !name.isEmpty { return try parse(name) }
        guard let name = annotations["org.opencontainers.image.ref.name"], !name.isEmpty else { return nil }
        if name.contains("/") || name.contains(":") { return try parse(name) }
        return try? ImageReference("localhost/\(stem):\(name)")  // A file's name that is no image's name: no name.
    }

    private func parse(_ name: String) throws(ImportFailure) -> ImageReference {
        do throws(ImageError) {
            return try ImageReference(name)
        } catch {
            throw .refused(entry: "index.json", reason: error.description)
        }
    }
}
