import ArgumentParser
import CRI

/// The conditions of `images --filter`.
enum ImageFilter {
    static let help = ArgumentHelp(
        "Filter by a condition; several can be combined",
        discussion: """
            dangling=true|false, reference=REGULAR-EXPRESSION, before=IMAGE, since=IMAGE, where IMAGE is a name with \
            a tag or a digest, or an id.
            """)

    /// The images by name, of those that meet every condition.
    static func images(_ services: Services, name: String?, filters: [String]) async throws -> [CRIImage] {
        var request = CRIListImagesRequest()
        request.filter.image.image = name ?? ""
        let asked = request
        var images = try await doing("listing images") { try await services.images.listImages(asked) }.images
        images.sort { key($0, $1) }
        for filter in commaSeparated(filters) { images = try apply(filter, images) }
        return images
    }

    private static func key(_ one: CRIImage, _ other: CRIImage) -> Bool {
        if let first = one.repoTags.first, let second = other.repoTags.first { return first < second }
        if let first = one.repoDigests.first, let second = other.repoDigests.first { return first < second }
        return one.id < other.id
    }

    private static func apply(_ filter: String, _ images: [CRIImage]) throws -> [CRIImage] {
        let parts = filter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else { throw Failure("unknown filter flag: \(filter)") }
        let value = parts[1]
        switch parts[0] {
        case "dangling":
            guard let dangling = ["true": true, "false": false][value] else {
                throw Failure("the filter dangling is true or false, not \(value)")
            }
            return images.filter { $0.repoTags.isEmpty == dangling }
        case "reference":
            let pattern = try Pattern(value)
            return images.filter {
                let name = ImageNames($0).repository
                return name == value || pattern.matches(name)
            }
        case "since": return Array(images.prefix { !isImage($0, value) })
        case "before": return images.reversed().prefix { !isImage($0, value) }.reversed()
        default: throw Failure("unknown filter flag: \(filter); there are dangling, reference, before and since")
        }
    }

    private static func isImage(_ image: CRIImage, _ value: String) -> Bool {
        if value.contains("@") { return image.repoDigests.contains { $0.hasPrefix(value) } }
        if value.contains(":"), !value.hasPrefix("sha256:") { return image.repoTags.contains(value) }
        return image.id.hasPrefix(value) || image.id.hasPrefix("sha256:" + value)
    }
}
