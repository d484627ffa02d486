import ArgumentParser
import FoundationEssentials
import GRPCCore
import NodeControl
import SwiftProtobuf

/// `kubesim image pull NAME…`
struct PullCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull", abstract: "Pull images from their registries into a running node.",
        discussion: """
            Mirrors, plain HTTP and certificates are configured as for containerd, in /etc/kubesim/certs.d/HOST/hosts.toml;
            credentials are taken from /etc/kubesim/config.json and from docker's config.json. The node that pulls goes through
            the proxies of its own HTTP_PROXY, HTTPS_PROXY and NO_PROXY (http:// and socks5:// ones).

              kubesim image pull registry.k8s.io/pause:3.10
              KUBESIM_CREDS=me:secret kubesim image pull registry.example/team/web
            """)

    @OptionGroup(title: "The node") var node: NodeOptions

    @Flag(help: "Only print the names of the images.")
    var quiet = false

    @Option(help: "USERNAME:PASSWORD for the registry (env: KUBESIM_CREDS, which other processes can't see).")
    var creds: String?

    @Argument(help: "Image names, with a tag or a digest.")
    var names: [String]

    func run() async throws {
        let configuration = try node.configuration()
        let socket = node.places(configuration).socket
        let creds = creds ?? ProcessInfo.processInfo.environment["KUBESIM_CREDS"]
        let auth = creds.map { Data($0.utf8).base64EncodedString() } ?? ""
        var refused = 0
        for name in names {
            do {
                try await pull(name, auth, socket: socket)
            } catch let error as NodeError {
                ProgressLine.clear()
                refused += 1
                StandardError.write("kubesim: \(error)\n")
            }
        }
        if refused > 0 { throw ExitCode(1) }
    }

    private func pull(_ name: String, _ auth: String, socket: String) async throws {
        let shows = !quiet
        let images = try await ControlClient.use(socket: socket) { client in
            try await client.pullImage(
                .with {
                    $0.name = name
                    $0.auth = auth
                }
            ) { response in
                try await ImageOutput.follow(response, name, shows: shows)
            }
        }
        ImageOutput.show(images.map { $0.only(name) }, "pulled", quiet: quiet)
    }
}

extension ControlLoadedImage {
    /// With the one of its names that was asked for; others it may have had before.
    fileprivate func only(_ name: String) -> ControlLoadedImage {
        var image = self
        image.tags =
            tags.first { tag in ["", ":latest"].contains { tag == name + $0 || tag.hasSuffix("/" + name + $0) } }
            .map { [$0] } ?? tags
        return image
    }
}
