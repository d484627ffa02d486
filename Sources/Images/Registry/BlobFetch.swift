import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

/// One blob's way through the network into a pipe. A connection that breaks is taken up again where it broke, at the same
/// endpoint or the next.
final class BlobFetch: Sendable {
    private let client: RegistryClient
    private let digest: Digest
    private let size: UInt64
    private let pipe: BlobPipe
    private let progress: @Sendable (UInt64) -> Void
    /// Bytes that went into the pipe, never more than ``size``.
    private let offset = Mutex<UInt64>(0)
    /// However much each attempt brings.
    private static let breakLimit = 64

    init(
        _ client: RegistryClient, digest: Digest, size: UInt64, into pipe: BlobPipe,
        progress: @escaping @Sendable (UInt64) -> Void
    ) {
        self.client = client
        self.digest = digest
        self.size = size
        self.pipe = pipe
        self.progress = progress
    }

    func run() async {
        do throws(ImportFailure) {
            try await fetch()
            pipe.finish(.success(()))
        } catch {
            pipe.finish(.failure(error))
        }
    }

    private func fetch() async throws(ImportFailure) {
        var breaks = 0
        try await client.firstAnswer(by: .pull) { (stop) throws(RegistryAttempt) in
            try await fetch(from: stop, &breaks)
        }
    }

    private func fetch(from stop: RegistryRoute.Stop, _ breaks: inout Int) async throws(RegistryAttempt) {
        var idle = 0
        while true {
            let before = offset.withLock { $0 }
            do throws(RegistryAttempt) {
                let wish = RegistryClient.Wish(path: "/blobs/\(digest)", offset: before)
                return try await client.once(wish, at: stop) { response, watch in
                    try await self.take(response, watch, from: before, stop)
                }
            } catch {
                let brought = offset.withLock { $0 } > before
                idle = brought ? 0 : idle + 1
                breaks += 1
                var wait: Duration?
                switch error.again {
                case .later(let wanted): wait = wanted
                // It was there a moment ago.
                case .unreachable where before > 0 || brought: break
                case .no, .unreachable: throw error
                }
                guard idle < client.configuration.attempts, breaks < Self.breakLimit else { throw error }
                try await client.pause(wait, attempt: max(0, idle - 1), after: error)
            }
        }
    }

    private func take(
        _ response: HTTPClientResponse, _ watch: StallWatch, from start: UInt64, _ stop: RegistryRoute.Stop
    ) async throws {
        let url = "\(stop.endpoint.address)/\(client.route.image.path)/blobs/\(digest)"
        // An endpoint that knows no ranges sends all of it once more.
        var skip = response.status == .partialContent ? 0 : start
        if response.status == .partialContent {
            let range = response.headers.first(name: "Content-Range") ?? ""
            guard range.hasPrefix("bytes \(start)-") else {
                throw RegistryFailure(.refused, url: url, "sends another part than was asked for")
            }
        }
        // What comes over the network is compared, never added: a sum can be larger than any number.
        let expected = skip == 0 ? size - start : size
        if let length = response.headers.first(name: "Content-Length").flatMap(UInt64.init), length != expected {
            throw RegistryFailure(.refused, url: url, "would send \(length) bytes where \(expected) were announced")
        }
        for try await whole in response.body {
            var piece = whole
            watch.note(piece.readableBytes)
            let passed = min(skip, UInt64(piece.readableBytes))
            skip -= passed
            piece.moveReaderIndex(forwardBy: Int(passed))
            let count = UInt64(piece.readableBytes)
            guard count > 0 else { continue }
            let isTooMuch = offset.withLock { offset in
                guard count <= size - offset else { return true }
                offset += count
                return false
            }
            if isTooMuch { throw RegistryFailure(.refused, url: url, "sends more than the \(size) bytes announced") }
            progress(count)
            watch.pause()
            let isWanted = await pipe.write(piece)
            watch.resume()
            guard isWanted else { throw CancellationError() }
        }
        let total = offset.withLock { $0 }
        guard total == size else {
            throw RegistryAttempt(
                RegistryFailure(
                    .unavailable, url: url, "the connection broke after \(total) of \(size) bytes"), .later(nil))
        }
    }
}
