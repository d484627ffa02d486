import FoundationEssentials
import Glibc
import Images
import Synchronization
import TestKit
import Testing

/// What a registry holds: manifests by tag and digest, blobs by digest; and the answers of the distribution API over it.
final class RegistryContents: Sendable {
    private struct Manifest {
        var type: String
        var bytes: [UInt8]
    }

    private let manifests = Mutex<[String: Manifest]>([:])
    private let blobs = Mutex<[String: [UInt8]]>([:])

    static let manifestType = "application/vnd.oci.image.manifest.v1+json"
    static let indexType = "application/vnd.oci.image.index.v1+json"

    func put(manifest bytes: [UInt8], type: String = manifestType, tags: [String] = []) {
        manifests.withLock { manifests in
            for name in tags + [sha256(bytes)] { manifests[name] = Manifest(type: type, bytes: bytes) }
        }
    }

    func put(blob bytes: [UInt8]) { blobs.withLock { $0[sha256(bytes)] = bytes } }

    /// An image whose parts all are there.
    func put(_ image: ImageTarball, tags: [String] = ["latest"]) {
        put(manifest: image.manifest, tags: tags)
        put(blob: image.configDocument)
        for layer in image.layers { put(blob: image.pack(layer)) }
    }

    func answer(_ request: LoopbackServer.Request) -> LoopbackServer.Reply {
        let path = request.path.prefix { $0 != "?" }
        if path == "/v2/" { return .text(200, "{}") }
        let name = String(path.split(separator: "/").last ?? "")
        if path.contains("/manifests/") {
            guard let manifest = manifests.withLock({ $0[name] }) else { return Self.unknown("MANIFEST_UNKNOWN") }
            return LoopbackServer.Reply(
                headers: [("Content-Type", manifest.type), ("Docker-Content-Digest", sha256(manifest.bytes))],
                body: manifest.bytes)
        }
        guard let blob = blobs.withLock({ $0[name] }) else { return Self.unknown("BLOB_UNKNOWN") }
        guard let range = request.headers["range"], let start = Int(range.dropFirst(6).prefix { $0 != "-" }) else {
            return LoopbackServer.Reply(body: blob)
        }
        return LoopbackServer.Reply(
            status: 206, headers: [("Content-Range", "bytes \(start)-\(blob.count - 1)/\(blob.count)")],
            body: Array(blob[start...]))
    }

    private static func unknown(_ code: String) -> LoopbackServer.Reply {
        .text(404, #"{"errors":[{"code":"\#(code)","message":"not known to registry"}]}"#)
    }
}

/// A store of the test's own that pulls from registries on this machine, and waits for nothing for long.
struct PullFixture {
    let store: StoreFixture

    var scratch: Scratch { store.scratch }
    var hosts: String { scratch.file("certs.d") }

    static func use(
        limits: ImageLimits = ImageLimits(), attempts: Int = 3, stall: Duration = .seconds(20),
        proxies: ProxyRules = ProxyRules(), pulls: Int = 64, _ body: (PullFixture) async throws -> Void
    ) async throws {
        try await Scratch.use { scratch in
            let registries = RegistryConfiguration(
                hostsDirectory: scratch.file("certs.d"), credentialFiles: [scratch.file("config.json")],
                proxies: proxies, pulls: pulls, stallTimeout: stall, dialTimeout: .seconds(5), attempts: attempts,
                backOff: .milliseconds(5),
                longestPause: .seconds(2))
            let store = try await ImageStore(
                root: scratch.file("store"), logger: StoreFixture.quiet, limits: limits, registries: registries)
            try await body(PullFixture(store: StoreFixture(scratch: scratch, store: store)))
        }
    }

    @discardableResult
    func pull(_ name: String, _ credentials: RegistryCredentials? = nil) async throws -> ImageRecord {
        try await store.store.pull(name, credentials: credentials)
    }

    /// Writes a registry's hosts.toml.
    func configure(_ registry: String, _ text: String) throws {
        _ = try scratch.directory("certs.d/\(registry)")
        try scratch.write("certs.d/\(registry)/hosts.toml", text)
    }

    /// Pulls what must not be had; nothing of it may be left.
    ///
    /// - Returns: the error's text
    @discardableResult
    func refuse(
        _ name: String, _ credentials: RegistryCredentials? = nil, says reason: String = "",
        _ location: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let before = try store.kept()
        do {
            _ = try await pull(name, credentials)
        } catch let error as ImageError {
            let left = try store.kept()
            guard left == before else { throw Unexpected("left behind: \(left)") }
            let text = error.description
            #expect(reason.isEmpty || text.contains(reason), "\(text)", sourceLocation: location)
            return text
        }
        throw Unexpected("it was pulled")
    }

    /// The code of a pull that fails.
    func code(_ name: String, _ credentials: RegistryCredentials? = nil) async throws -> RegistryFailure.Code {
        do {
            _ = try await pull(name, credentials)
        } catch ImageError.registry(_, let failure) {
            return failure.code
        }
        throw Unexpected("it was pulled")
    }
}

struct Unexpected: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
