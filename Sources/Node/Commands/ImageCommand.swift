import ArgumentParser
import CRI
import FoundationEssentials
import GRPCCore
import NodeControl
import SwiftProtobuf

/// `kubesim image …`
public struct ImageCommand: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "image", abstract: "Work with the node's images.",
        discussion: "`kubesim crictl images` lists them, `kubesim crictl rmi` removes them.",
        subcommands: [LoadCommand.self, PullCommand.self])

    public init() {}
}

/// `kubesim image load FILE…`
struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Import image tarballs into a running node.",
        discussion: """
            A FILE is what `docker save`, `podman save`, `skopeo copy … oci-archive:` or `docker buildx -o type=oci` write:
            a docker archive or an OCI image layout, plain or compressed with gzip or zstd.

              kubesim image load web.tar
              kubesim image load --root /var/lib/kubesim-demo *.tar

            Tarballs dropped into the node's images directory are imported by themselves.
            """)

    @OptionGroup(title: "The node") var node: NodeOptions

    @Flag(help: "Only print the names of the images.")
    var quiet = false

    @Argument(help: "Image tarballs.", completion: .file())
    var files: [String]

    func run() async throws {
        let configuration = try node.configuration()
        let places = node.places(configuration)
        let directory = FileManager.default.currentDirectoryPath
        var refused = 0
        for file in files {
            do {
                try await load(NodePlaces.absolute(file, from: directory), socket: places.socket)
            } catch let error as NodeError {
                ProgressLine.clear()
                refused += 1
                StandardError.write("kubesim: \(error)\n")
            }
        }
        if refused > 0 { throw ExitCode(1) }
    }

    private func load(_ path: String, socket: String) async throws {
        let shows = !quiet
        let images = try await ControlClient.use(socket: socket) { client in
            try await client.loadImage(.with { $0.path = path }) { response in
                try await ImageOutput.follow(response, path, shows: shows)
            }
        }
        ImageOutput.show(images, "loaded", quiet: quiet)
    }
}

/// What `load` and `pull` print.
enum ImageOutput {
    /// Shows how far it has come.
    ///
    /// - Returns: the images that it brought
    static func follow(
        _ response: StreamingClientResponse<ControlLoadImageProgress>, _ subject: String, shows: Bool
    ) async throws -> [ControlLoadedImage] {
        var images: [ControlLoadedImage] = []
        for try await progress in response.messages {
            if !progress.images.isEmpty { images = progress.images }
            if shows {
                ProgressLine.show("\(subject): \(progress.step)", progress.bytesDone, of: progress.bytesTotal)
            }
        }
        return images
    }

    static func show(_ images: [ControlLoadedImage], _ verb: String, quiet: Bool) {
        ProgressLine.clear()
        for image in images {
            let names = image.tags.isEmpty ? [image.id] : image.tags
            for name in names {
                print(quiet ? name : "\(verb) \(name) (\(ByteCount.text(image.sizeBytes)))")
            }
        }
    }
}
