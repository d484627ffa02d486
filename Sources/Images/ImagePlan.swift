/// One image as a tarball offers it: all documents read and verified, no layer touched.
struct ImagePlan {
    struct Layer {
        /// The name inside the tarball.
        var name: String
        var part: TarballContents.Part
        /// What the manifest announces; docker's has none.
        var blob: Digest?
        var diffID: Digest
        var chainID: Digest
    }

    var config: [UInt8]
    var image: ImageConfig
    /// The image's id.
    var id: Digest
    /// Manifest, and the indexes above it; none yet for docker's archives.
    var documents: [(digest: Digest, bytes: [UInt8])]
    /// What the image's digest references name: the topmost of the documents.
    var target: Digest?
    var layers: [Layer]
    /// As the tarball names it.
    var names: [ImageReference]

    /// Holds the configuration and the layers against each other.
    ///
    /// - Parameter layers: each layer's name in the tarball, and its digest where one is announced
    init(
        config: [UInt8], configName: String, layers: [(name: String, blob: Digest?)], contents: TarballContents,
        platform: Platform, limits: ImageLimits
    ) throws(ImportFailure) {
        do throws(ImportFailure) {
            let judged = try JudgedConfiguration(config, layers: layers.count, platform: platform, limits: limits)
            self.config = config
            image = judged.image
            id = judged.id
            documents = []
            names = []
            self.layers = []
            for ((layer, diffID), chainID) in zip(zip(layers, judged.diffIDs), judged.chainIDs) {
                self.layers.append(
                    Layer(
                        name: layer.name, part: try contents.part(layer.name), blob: layer.blob, diffID: diffID,
                        chainID: chainID))
            }
        } catch {
            guard case .refused(nil, _) = error else { throw error }
            throw error.inside(printable(configName.utf8))
        }
    }
}

/// Finds the images in a tarball, whichever of the two ways it is laid out.
func planImages(
    _ contents: TarballContents, stem: String, platform: Platform, limits: ImageLimits
) throws(ImportFailure) -> [ImagePlan] {
    var plans: [ImagePlan]
    if contents.has("oci-layout") && contents.has("index.json") {
        plans = try OCIArchive(contents, stem: stem, platform: platform, limits: limits).plans()
        // Newer docker versions write both; only its own manifest.json has all names of an image.
        if contents.has("manifest.json") {
            for named in try dockerPlans(contents, platform: platform, limits: limits) {
                guard let index = plans.firstIndex(where: { $0.id == named.id }) else { continue }
                // A name made from the file's own is not wanted where the archive has a better one.
                let guessed = named.names.isEmpty ? nil : "localhost/\(stem)"
                let others = plans[index].names.filter { $0.name != guessed && !named.names.contains($0) }
                plans[index].names = named.names + others
            }
        }
    } else if contents.has("manifest.json") {
        plans = try dockerPlans(contents, platform: platform, limits: limits)
    } else if contents.has("repositories") {
        throw .refused(
            entry: nil,
            reason: "an archive of docker before 1.10, which can't be read: save the image again with a newer one")
    } else {
        throw .refused(
            entry: nil,
            reason: "not an image: neither manifest.json (docker save) nor oci-layout and index.json are in it")
    }
    guard !plans.isEmpty else { throw .refused(entry: nil, reason: "no image for \(platform.description) in it") }
    // skopeo and others leave the name out: then the file's own name is the best one known.
    if plans.count == 1, plans[0].names.isEmpty, let name = try? ImageReference("localhost/\(stem):latest") {
        // A file's name that is no image's name: the image is known by its id alone.
        plans[0].names = [name]
    }
    return plans
}
