/// Reads docker's manifest.json (moby's image specification 1.2, "Combined Image JSON + Filesystem Changeset Format"),
/// as docker, podman, skopeo, kaniko, bazel and others write it.
func dockerPlans(
    _ contents: TarballContents, platform: Platform, limits: ImageLimits
) throws(ImportFailure) -> [ImagePlan] {
    let items = try decode([DockerManifestItem].self, contents.document("manifest.json"), entry: "manifest.json")
    guard items.count <= limits.images else {
        throw .refused(entry: "manifest.json", reason: "\(items.count) images, more than \(limits.images)")
    }
    var plans: [ImagePlan] = []
    for item in items {
        let config = try contents.document(item.Config)
        // Most name the configuration after its digest: then it has to be that.
        if let announced = digestInName(item.Config), announced != Digest(of: config) {
            throw TarballContents.mismatch(item.Config, expected: announced, actual: Digest(of: config))
        }
        let layers = (item.Layers ?? []).map { name in
            (name: name, blob: name.hasPrefix("blobs/sha256/") ? digestInName(name) : nil)
        }
        var plan = try ImagePlan(
            config: config, configName: item.Config, layers: layers, contents: contents, platform: platform,
            limits: limits)
        for tag in item.RepoTags ?? [] {
            do throws(ImageError) {
                plan.names.append(try ImageReference(tag))
            } catch {
                throw .refused(entry: "manifest.json", reason: error.description)
            }
        }
        plans.append(plan)
    }
    return plans
}

/// `<hex>.json`, `sha256:<hex>` and `blobs/sha256/<hex>` name a digest; v1 layer directories don't come here.
private func digestInName(_ name: String) -> Digest? {
    var base = name.split(separator: "/").last ?? ""
    if base.hasSuffix(".json") { base = base.dropLast(5) }
    return Digest(base) ?? Digest(hex: base)
}
