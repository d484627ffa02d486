import FoundationEssentials

/// Points at a blob (OCI image-spec 1.1, descriptor.md).
struct Descriptor: Codable {
    struct Platform: Codable, Hashable {
        var architecture: String?
        var os: String?
        var variant: String?
    }

    var mediaType: String?
    var digest: String
    var size: Int64
    var platform: Platform?
    var annotations: [String: String]?
}

/// An image index, or a manifest: which of them is told by what is in it (image-index.md, manifest.md).
struct ManifestDocument: Codable {
    var schemaVersion: Int?
    var mediaType: String?
    var manifests: [Descriptor]?
    var config: Descriptor?
    var layers: [Descriptor]?
}

/// One image of docker's manifest.json.
struct DockerManifestItem: Codable {
    var Config: String
    var RepoTags: [String]?
    var Layers: [String]?
}

/// An image's configuration (config.md), as far as a node acts on it.
struct ConfigDocument: Decodable {
    struct Empty: Decodable {
        init(from decoder: any Decoder) throws {}
    }

    /// Old docker versions wrote a command as one string.
    struct Words: Decodable {
        var words: [String]
        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let word = try? container.decode(String.self) {
                // Not a string: the array's own error is the one to report.
                words = [word]
            } else {
                words = try container.decode([String].self)
            }
        }
    }

    struct Execution: Decodable {
        var User: String?
        var ExposedPorts: [String: Empty]?
        var Env: [String]?
        var Entrypoint: Words?
        var Cmd: Words?
        var Volumes: [String: Empty]?
        var WorkingDir: String?
        var Labels: [String: String]?
        var StopSignal: String?
    }

    struct RootFS: Decodable {
        var diff_ids: [String]?
    }

    var architecture: String?
    var os: String?
    var variant: String?
    var created: String?
    var config: Execution?
    var rootfs: RootFS?

    var image: ImageConfig {
        ImageConfig(
            user: config?.User ?? "", entrypoint: config?.Entrypoint?.words ?? [], cmd: config?.Cmd?.words ?? [],
            env: config?.Env ?? [], workingDir: config?.WorkingDir ?? "", stopSignal: config?.StopSignal ?? "",
            volumes: (config?.Volumes ?? [:]).keys.sorted(), exposedPorts: (config?.ExposedPorts ?? [:]).keys.sorted(),
            labels: config?.Labels ?? [:], architecture: architecture ?? "", os: os ?? "", created: created)
    }

    /// The digests of the uncompressed layers, lowest first.
    func diffIDs() throws(ImportFailure) -> [Digest] {
        var digests: [Digest] = []
        for text in rootfs?.diff_ids ?? [] {
            guard let digest = Digest(text) else {
                throw .refused(entry: nil, reason: "the layer digest \(printable(text.utf8)) is no sha256 digest")
            }
            digests.append(digest)
        }
        return digests
    }

    /// No string of a process may have a zero byte in it: execve(2) would cut it there.
    func checkStrings() throws(ImportFailure) {
        let image = image
        let all =
            [image.user, image.workingDir, image.stopSignal] + image.entrypoint + image.cmd + image.env + image.volumes
            + image.exposedPorts
        guard !all.contains(where: { $0.utf8.contains(0) }) else {
            throw .refused(entry: nil, reason: "the configuration has a zero byte in a string")
        }
    }
}

/// Reads a document; what is wrong with it is said with the place in it.
func decode<Document: Decodable>(_ type: Document.Type, _ bytes: [UInt8], entry: String) throws(ImportFailure)
    -> Document
{
    do {
        return try JSONDecoder().decode(type, from: Data(bytes))
    } catch let error as DecodingError {
        throw .refused(entry: entry, reason: "not a document that can be read: \(explain(error))")
    } catch {
        throw .refused(entry: entry, reason: "not a document that can be read")
    }
}

private func explain(_ error: DecodingError) -> String {
    func place(_ context: DecodingError.Context) -> String {
        context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined()
    }
    return switch error {
    case .keyNotFound(let key, let context): "\(place(context)).\(key.stringValue) is missing"
    case .typeMismatch(let type, let context): "\(place(context)) is not of type \(type)"
    case .valueNotFound(_, let context): "\(place(context)) is null"
    case .dataCorrupted(let context):
        context.codingPath.isEmpty ? "not JSON" : "\(place(context)): \(context.debugDescription)"
    @unknown default: "not JSON"
    }
}
