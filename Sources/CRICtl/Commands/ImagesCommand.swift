import ArgumentParser
import CRI

/// `crictl images`
struct ImagesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "images", abstract: "List images",
        discussion: """
            kubesim crictl images
              kubesim crictl images --digests localhost/web
            """,
        aliases: ["image", "img"])

    @Argument(help: "REPOSITORY[:TAG]") var repository: String?
    @Flag(name: .shortAndLong, help: "Show verbose info for images") var verbose = false
    @Flag(name: .shortAndLong, help: "Only show image IDs") var quiet = false
    @Option(name: .shortAndLong, help: ImageFilter.help) var filter: [String] = []
    @Option(name: .shortAndLong, help: "Output format: json, yaml, table") var output = OutputFormat.table
    @Flag(help: "Show digests") var digests = false
    @Flag(help: "Show output without truncating the ID") var noTrunc = false
    @Flag(help: "Show whether the image is pinned or not") var pinned = false

    func run() async throws {
        let images = try await withServices {
            try await ImageFilter.images($0, name: repository, filters: filter)
        }
        guard output == .table else {
            var response = CRIListImagesResponse()
            response.images = images
            return try output.print(response)
        }
        if quiet { return images.forEach { say($0.id) } }
        if verbose { return images.forEach { show(Self.listing($0) + "\n") } }
        show(table(images).text)
    }

    private func table(_ images: [CRIImage]) -> Table {
        var header = ["IMAGE", "TAG"]
        if digests { header.append("DIGEST") }
        header += ["IMAGE ID", "SIZE"]
        if pinned { header.append("PINNED") }
        var table = Table(header)
        for image in images {
            let names = ImageNames(image)
            for (name, tag) in names.tags {
                var row = [name, tag]
                if digests { row.append(noTrunc ? names.digest : Human.shortID(names.digest)) }
                row += [noTrunc ? image.id : Human.shortID(image.id), Human.size(image.size, digits: 3)]
                if pinned { row.append("\(image.pinned)") }
                table.add(row)
            }
        }
        return table
    }

    private static func listing(_ image: CRIImage) -> String {
        var listing = Listing()
        listing.add("ID", image.id)
        for tag in image.repoTags { listing.add("RepoTags", tag) }
        for digest in image.repoDigests { listing.add("RepoDigests", digest) }
        if image.size != 0 { listing.add("Size", "\(image.size)") }
        if image.hasUid { listing.add("Uid", "value:\(image.uid.value)") }
        listing.addUnlessEmpty("Username", image.username)
        if image.pinned { listing.add("Pinned", "true") }
        return listing.text
    }
}

/// An image's names as tables show them.
struct ImageNames {
    var repository: String
    var digest: String
    /// Name and tag; one pair at least.
    var tags: [(name: String, tag: String)]

    init(_ image: CRIImage) {
        let none = "<none>"
        let parts = (image.repoDigests.first ?? "").split(separator: "@", omittingEmptySubsequences: false)
        if image.repoDigests.isEmpty {
            (repository, digest) = (none, none)
        } else if parts.count == 2 {
            (repository, digest) = (String(parts[0]), String(parts[1]))
        } else {
            (repository, digest) = ("errorName", "errorRepoDigest")
        }
        let repository = repository
        tags = image.repoTags.map { tag in
            guard let colon = tag.lastIndex(of: ":") else { return ("errorRepoTag", "errorRepoTag") }
            let name = String(tag[..<colon])
            return (name == none ? repository : name, String(tag[tag.index(after: colon)...]))
        }
        if tags.isEmpty { tags = [(repository, none)] }
    }
}
