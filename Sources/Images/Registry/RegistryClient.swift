import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Synchronization

/// Asks the endpoints of one registry for one image's parts: who asks, where it is led, and when to ask again.
final class RegistryClient: Sendable {
    /// One thing to be asked for.
    struct Wish: Sendable {
        /// Behind the endpoint's address and the image's path: `/manifests/latest`.
        var path: String
        var method = HTTPMethod.GET
        var accept: String?
        /// The first byte wanted.
        var offset: UInt64 = 0
    }

    typealias Consume<Value> = @Sendable (HTTPClientResponse, StallWatch) async throws -> Value

    let route: RegistryRoute
    let configuration: RegistryConfiguration
    private let transport: RegistryTransport
    private let desk: AuthorizationDesk
    /// Who has answered.
    private let spoken = Mutex<Set<HostAddress.Origin>>([])
    /// A server that leads on and on is left.
    private static let redirectLimit = 10
    private static let authorizationLimit = 2

    init(_ route: RegistryRoute, _ configuration: RegistryConfiguration) {
        self.route = route
        self.configuration = configuration
        transport = RegistryTransport(configuration)
        desk = AuthorizationDesk(route)
    }

    func close() async { await transport.close() }

    /// Has anybody answered there?
    func hasSpoken(_ stop: RegistryRoute.Stop) -> Bool {
        spoken.withLock { $0.contains(stop.endpoint.address.origin) }
    }

    /// Asks one endpoint until it has an answer that counts.
    func ask<Value: Sendable>(
        _ wish: Wish, at stop: RegistryRoute.Stop, _ consume: @escaping Consume<Value>
    ) async throws(RegistryAttempt) -> Value {
        var attempt = 0
        while true {
            do throws(RegistryAttempt) {
                return try await once(wish, at: stop, consume)
            } catch {
                attempt += 1
                guard case .later(let wait) = error.again, attempt < configuration.attempts else { throw error }
                try await pause(wait, attempt: attempt - 1, after: error)
            }
        }
    }

    /// Waits before another attempt: as long as the server says, or longer each time.
    func pause(_ wanted: Duration?, attempt: Int, after error: RegistryAttempt) async throws(RegistryAttempt) {
        if let wanted, wanted > configuration.longestPause {
            var failure = error.failure
            failure.advice = "it asks to come back in \(wanted)"
            throw RegistryAttempt(failure)
        }
        // A little chance keeps many nodes from coming back at the same moment.
        let pause = configuration.pause(attempt: attempt)
        do {
            try await Task.sleep(for: wanted ?? pause + pause * Double.random(in: 0..<0.25))
        } catch {
            throw RegistryAttempt(RegistryFailure(.cancelled, "cancelled"))
        }
    }

    // MARK: One attempt

    func once<Value: Sendable>(
        _ wish: Wish, at stop: RegistryRoute.Stop, _ consume: @escaping Consume<Value>
    ) async throws(RegistryAttempt) -> Value {
        let target = RequestTarget(
            address: stop.endpoint.address, path: "/\(route.image.path)\(wish.path)",
            query: stop.endpoint.namespace.map { "ns=" + RequestTarget.escaped($0) })
        do {
            return try await StallWatch.run(configuration) { watch in
                try await self.follow(wish, target, stop, watch, consume)
            }
        } catch {
            throw RegistryAttempt.wrap(error, target.shown)
        }
    }

    private func follow<Value: Sendable>(
        _ wish: Wish, _ first: RequestTarget, _ stop: RegistryRoute.Stop, _ watch: StallWatch,
        _ consume: Consume<Value>
    ) async throws -> Value {
        var target = first
        var redirects = 0
        var authorizations = 0
        while true {
            let isOwn = target.address.origin == stop.endpoint.address.origin
            let authorization = isOwn ? desk.header(for: target.address.origin) : nil
            let request = request(wish, target, stop, isOwn: isOwn, authorization)
            let response = try await transport.execute(request, dialTimeout: stop.endpoint.dialTimeout)
            // 400 is what a server of HTTPS says to plain HTTP.
            if response.status.code != 400 { spoken.withLock { _ = $0.insert(target.address.origin) } }
            switch response.status.code {
            case 200..<300: return try await consume(response, watch)
            case 301, 302, 303, 307, 308:
                redirects += 1
                guard redirects <= Self.redirectLimit else {
                    throw RegistryFailure(.refused, url: first.shown, "led on more than \(Self.redirectLimit) times")
                }
                target = try target.next(response.headers.first(name: "Location") ?? "")
            case 401 where isOwn && authorizations < Self.authorizationLimit:
                authorizations += 1
                let challenges = response.headers["WWW-Authenticate"].flatMap(Challenge.read)
                try await desk.answer(challenges, at: stop, url: target.shown, refused: authorization) {
                    (request) throws(RegistryAttempt) in try await self.token(request, stop)
                }
            default: throw await Self.refusal(response, target, desk)
            }
        }
    }

    private func request(
        _ wish: Wish, _ target: RequestTarget, _ stop: RegistryRoute.Stop, isOwn: Bool, _ authorization: String?
    ) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: target.description)
        request.method = wish.method
        request.headers.add(name: "User-Agent", value: "kubesim")
        if let accept = wish.accept { request.headers.add(name: "Accept", value: accept) }
        if wish.offset > 0 { request.headers.add(name: "Range", value: "bytes=\(wish.offset)-") }
        // What is meant for the endpoint (credentials, its own headers, its client certificate) goes nowhere else.
        if isOwn {
            for header in stop.endpoint.headers {
                request.headers.replaceOrAdd(name: header.name, value: header.value)
            }
            if let authorization { request.headers.replaceOrAdd(name: "Authorization", value: authorization) }
        }
        if target.address.isSecure { request.tlsConfiguration = isOwn ? stop.tls.own : stop.tls.others }
        return request
    }

    // MARK: Tokens

    private struct TokenAnswer: Decodable {
        var token: String?
        var access_token: String?
    }

    private static let largestAnswer = 1 << 20

    private func token(
        _ wanted: TokenRequest, _ stop: RegistryRoute.Stop
    ) async throws(RegistryAttempt) -> String {
        var target = wanted.target
        let origin = target.address.origin
        do {
            for _ in 0...Self.redirectLimit {
                let isRegistry = target.address.origin == stop.endpoint.address.origin
                var request = HTTPClientRequest(url: target.description)
                request.headers.add(name: "User-Agent", value: "kubesim")
                if let form = wanted.form {
                    request.method = .POST
                    request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
                    request.body = .bytes(ByteBuffer(string: form))
                }
                if target.address.origin == origin, let authorization = wanted.authorization {
                    request.headers.add(name: "Authorization", value: authorization)
                }
                if target.address.isSecure { request.tlsConfiguration = isRegistry ? stop.tls.own : stop.tls.others }
                let response = try await transport.execute(request, dialTimeout: stop.endpoint.dialTimeout)
                switch response.status.code {
                case 200..<300: return try await Self.token(response, target)
                case 301, 302, 303, 307, 308:
                    // A form with a secret in it is sent on to nobody.
                    guard wanted.form == nil else { throw await Self.refusal(response, target, desk) }
                    target = try target.next(response.headers.first(name: "Location") ?? "")
                case 400, 401, 403:
                    let reason = await Self.reason(response)
                    throw desk.unauthenticated(target.shown, "the token server says no: \(reason)")
                default: throw await Self.refusal(response, target, desk)
                }
            }
            throw RegistryFailure(.refused, url: target.shown, "led on more than \(Self.redirectLimit) times")
        } catch {
            throw RegistryAttempt.wrap(error, target.shown)
        }
    }

    private static func token(_ response: HTTPClientResponse, _ target: RequestTarget) async throws -> String {
        let body = try await response.body.collect(upTo: largestAnswer)
        let answer = try? JSONDecoder().decode(TokenAnswer.self, from: Data(body.readableBytesView))
        let token = [answer?.token, answer?.access_token].compactMap { $0 }.first { !$0.isEmpty }
        guard let token, AuthorizationDesk.isHeaderSafe(token) else {
            throw RegistryFailure(
                .refused, url: target.shown, "the token server's answer has no token that can be used")
        }
        return token
    }

    // MARK: Refusals

    private struct ErrorAnswer: Decodable {
        struct Item: Decodable {
            var code: String?
            var message: String?
        }
        var errors: [Item]?
        var details: String?
        var message: String?
    }

    /// What the status says, and the registry's own words (distribution-spec, "Error Codes").
    private static func reason(_ response: HTTPClientResponse) async -> String {
        let status = "\(response.status.code) \(printable(response.status.reasonPhrase.utf8))"
        // Without its body an error is still one.
        guard let body = try? await response.body.collect(upTo: 64 << 10),
            let answer = try? JSONDecoder().decode(ErrorAnswer.self, from: Data(body.readableBytesView))
        else { return status }
        let words =
            answer.errors?.prefix(4).map { item in
                [item.code, item.message].compactMap { $0 }.map { printable($0.utf8) }.joined(separator: ": ")
            } ?? [answer.details, answer.message].compactMap { $0 }.map { printable($0.utf8) }
        return words.isEmpty ? status : "\(status) (\(words.joined(separator: "; ")))"
    }

    private static func refusal(
        _ response: HTTPClientResponse, _ target: RequestTarget, _ desk: AuthorizationDesk
    ) async -> RegistryAttempt {
        let after = response.headers.first(name: "Retry-After").flatMap(retryAfter)
        let reason = await reason(response)
        func failure(_ code: RegistryFailure.Code, _ advice: String = "") -> RegistryFailure {
            RegistryFailure(code, url: target.shown, reason, advice: advice)
        }
        switch response.status.code {
        case 401: return desk.unauthenticated(target.shown, reason)
        case 403:
            return RegistryAttempt(failure(.denied, "the credentials don't allow that, or there is no such image"))
        case 404, 410: return RegistryAttempt(failure(.notFound, "is the name right?"))
        case 416: return RegistryAttempt(failure(.refused))
        case 429: return RegistryAttempt(failure(.exhausted), .later(after))
        case 408, 500, 502, 503, 504: return RegistryAttempt(failure(.unavailable), .later(after))
        case let status: return RegistryAttempt(failure(.unavailable), suggestsTLS: status == 400)
        }
    }

    /// Seconds; a date is not worth reading for a pause of at most a minute.
    private static func retryAfter(_ text: String) -> Duration? {
        UInt32(text.drop { $0 == " " }).map { .seconds(Int64($0)) }
    }
}
