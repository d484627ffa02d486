import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// A small document of an image, as an endpoint sent it.
struct FetchedDocument: Sendable {
    var bytes: [UInt8]
    var digest: Digest
    /// What the endpoint calls it.
    var mediaType: String?
}

extension RegistryClient {
    /// Which endpoints may be asked.
    enum Capability: Sendable {
        /// Says what a tag means.
        case resolve
        /// Has what a digest names, which can be checked.
        case pull

        func isGiven(_ endpoint: RegistryEndpoint) -> Bool {
            self == .resolve ? endpoint.canResolve : endpoint.canPull
        }
    }

    /// A manifest, an index or a configuration, whole.
    ///
    /// - Parameters:
    ///   - digest: what it must be; an endpoint that sends something else is passed over
    ///   - size: how many bytes were announced
    func document(
        _ wish: Wish, by capability: Capability, digest: Digest?, size: Int64? = nil, limit: Int
    ) async throws(ImportFailure) -> FetchedDocument {
        try await firstAnswer(by: capability) { (stop) throws(RegistryAttempt) in
            try await self.ask(wish, at: stop) { response, watch in
                let url = stop.endpoint.address.description + "/\(self.route.image.path)\(wish.path)"
                let body = try await Self.body(response, watch, limit: limit, url)
                let document = FetchedDocument(
                    bytes: body, digest: Digest(of: body), mediaType: Self.mediaType(response))
                if let size, size != Int64(body.count) {
                    throw RegistryFailure(.refused, url: url, "\(body.count) bytes where \(size) were announced")
                }
                let stated = response.headers.first(name: "Docker-Content-Digest").flatMap { Digest($0) }
                for expected in [digest, wish.path.hasPrefix("/manifests/") ? stated : nil].compactMap({ $0 })
                where expected != document.digest {
                    throw RegistryFailure(
                        .refused, url: url, "wrong digest: \(document.digest) where \(expected) was announced")
                }
                return document
            }
        }
    }

    /// Asks one endpoint after the other until one has it.
    func firstAnswer<Value: Sendable>(
        by capability: Capability, _ ask: (RegistryRoute.Stop) async throws(RegistryAttempt) -> Value
    ) async throws(ImportFailure) -> Value {
        var failures: [RegistryFailure] = []
        var suggestsTLS = false
        for stop in route.stops where capability.isGiven(stop.endpoint) {
            if stop.endpoint.isSecondGuess && !suggestsTLS { continue }
            do throws(RegistryAttempt) {
                return try await ask(stop)
            } catch {
                if error.failure.code == .cancelled { throw .cancelled }
                failures.append(error.failure)
                suggestsTLS = error.suggestsTLS && !hasSpoken(stop)
            }
        }
        throw .registry(Self.together(failures))
    }

    /// What all endpoints said, in one; the last of them is the registry itself, and says what it amounts to.
    static func together(_ failures: [RegistryFailure]) -> RegistryFailure {
        guard let last = failures.last else {
            return RegistryFailure(
                .configuration, "no endpoint may be asked for that (see capabilities in the registry's hosts.toml)")
        }
        guard failures.count > 1 else { return last }
        let others = failures.dropLast().map(\.description).joined(separator: "; ")
        return RegistryFailure(last.code, "\(others); \(last.description)")
    }

    private static func mediaType(_ response: HTTPClientResponse) -> String? {
        response.headers.first(name: "Content-Type").map { String($0.prefix { $0 != ";" && $0 != " " }) }
    }

    private static func body(
        _ response: HTTPClientResponse, _ watch: StallWatch, limit: Int, _ url: String
    ) async throws -> [UInt8] {
        let tooLarge = RegistryFailure(.refused, url: url, "more than the \(limit) bytes of a document")
        if let length = response.headers.first(name: "Content-Length").flatMap(Int.init), length > limit {
            throw tooLarge
        }
        var bytes: [UInt8] = []
        for try await piece in response.body {
            guard bytes.count + piece.readableBytes <= limit else { throw tooLarge }
            watch.note(piece.readableBytes)
            bytes += piece.readableBytesView
        }
        return bytes
    }
}
