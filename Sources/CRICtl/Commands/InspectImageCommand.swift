import ArgumentParser
import CRI
import JSON

/// `crictl inspecti`
struct InspectImageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspecti", abstract: "Return the status of one or more images",
        discussion: "  kubesim crictl inspecti localhost/web:latest")

    @Argument(help: "The images' ids or names") var imageID: [String] = []
    @Option(name: .shortAndLong, help: "Output format: json, yaml, go-template, table") var output = OutputFormat.json
    @Flag(name: .shortAndLong, help: "Do not show verbose information") var quiet = false
    @Option(help: "The template of go-template, as in '{{.status.id}}'") var template: String?
    @Option(help: "Filter by image name") var name: String?
    @Option(name: .shortAndLong, help: ImageFilter.help) var filter: [String] = []

    func run() async throws {
        try await withServices { services in
            let ids =
                imageID.isEmpty
                ? try await ImageFilter.images(services, name: name, filters: filter).map(\.id) : imageID
            guard !ids.isEmpty else { throw Failure("no image ids were given, and none was found by the filter") }
            var documents: [JSONValue] = []
            for id in ids {
                var request = CRIImageStatusRequest()
                request.image.image = id
                request.verbose = !quiet
                let asked = request
                let response = try await doing("image status of \"\(id)\"") {
                    try await services.images.imageStatus(asked)
                }
                guard response.hasImage else { throw Failure("no such image \"\(id)\" present") }
                if output == .table {
                    show(Self.listing(response, verbose: !quiet))
                } else {
                    documents.append(
                        StatusDocument.make(status: try ProtoDocument.value(of: response.image), info: response.info))
                }
            }
            if output != .table { try output.print(StatusDocument.joined(documents), template: template) }
        }
    }

    private static func listing(_ response: CRIImageStatusResponse, verbose: Bool) -> String {
        var listing = Listing()
        listing.add("ID", response.image.id)
        for tag in response.image.repoTags { listing.add("Tag", tag) }
        for digest in response.image.repoDigests { listing.add("Digest", digest) }
        listing.add("Size", Human.size(response.image.size, digits: 3))
        if verbose { listing.add("Info", mapText(response.info)) }
        return listing.text
    }
}
