import FuzzKit
import Glibc

@testable import Images

/// The documents of an image: manifest, index, configuration, and docker's list of them.
func read(_ bytes: [UInt8]) {
    if let manifest = try? decode(ManifestDocument.self, bytes, entry: "manifest") {
        if (try? manifest.check(stated: nil, entry: "manifest")) != nil {
            precondition((manifest.manifests == nil) != (manifest.layers == nil), "one of the two, never both")
        }
        _ = Platform(machine: "x86_64").best(of: manifest.manifests ?? [])
        for descriptor in (manifest.layers ?? []) + (manifest.config.map { [$0] } ?? []) {
            _ = Digest(descriptor.digest)
            try? MediaType.checkLayer(descriptor.mediaType, entry: "layer")
            try? MediaType.checkConfiguration(descriptor.mediaType, entry: "configuration")
        }
    }
    if let config = try? decode(ConfigDocument.self, bytes, entry: "config"), (try? config.checkStrings()) != nil {
        let image = config.image
        precondition(!(image.env + image.cmd + image.entrypoint).contains { $0.utf8.contains(0) })
        _ = try? config.diffIDs()
    }
    _ = try? decode([DockerManifestItem].self, bytes, entry: "manifest.json")
}

exit(Fuzzer.run(read))
