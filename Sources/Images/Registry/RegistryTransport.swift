import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// The connections of one pull. They are closed with it.
final class RegistryTransport: Sendable {
    private let configuration: RegistryConfiguration
    private let clients = Mutex<[Way: HTTPClient]>([:])

    /// How a connection is made.
    private struct Way: Hashable {
        var dialTimeout: Duration
        var proxy: ProxyRules.Proxy?
    }

    init(_ configuration: RegistryConfiguration) { self.configuration = configuration }

    /// Sends one request and follows nothing.
    func execute(
        _ request: HTTPClientRequest, dialTimeout: Duration?
    ) async throws(RegistryAttempt) -> HTTPClientResponse {
        guard configuration.proxies.mistake == nil else {
            throw RegistryAttempt(
                RegistryFailure(.configuration, url: request.url, configuration.proxies.mistake ?? ""))
        }
        let address = HostAddress(String(request.url.prefix { $0 != "?" }))
        let way = Way(
            dialTimeout: dialTimeout ?? configuration.dialTimeout, proxy: address.flatMap(configuration.proxies.proxy))
        do {
            return try await client(way).execute(request, deadline: .distantFuture)
        } catch {
            throw RegistryAttempt.transport(error, request.url).through(way.proxy)
        }
    }

    private func client(_ way: Way) -> HTTPClient {
        clients.withLock { clients in
            if let client = clients[way] { return client }
            var settings = HTTPClient.Configuration()
            settings.redirectConfiguration = .disallow
            // Each layer on a connection of its own: no stream waits for another's window.
            settings.httpVersion = .http1Only
            settings.timeout.connect = .nanoseconds(way.dialTimeout.wholeNanoseconds)
            settings.connectionPool.retryConnectionEstablishment = false
            settings.proxy = way.proxy?.setting
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings)
            clients[way] = client
            return client
        }
    }

    func close() async {
        let all = clients.withLock { clients in
            defer { clients = [:] }
            return Array(clients.values)
        }
        for client in all {
            // It fails only when it was closed before.
            try? await client.shutdown()
        }
    }
}

extension ProxyRules.Proxy {
    fileprivate var setting: HTTPClient.Configuration.Proxy {
        switch kind {
        case .http: .server(host: host, port: port, authorization: login.map { .basic(credentials: Base64.encode($0)) })
        case .socks5: .socksServer(host: host, port: port)
        }
    }
}

extension Duration {
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : product.addingReportingOverflow(attoseconds / 1_000_000_000).partialValue
    }
}

/// One attempt that failed, and whether another is worth while.
struct RegistryAttempt: Error {
    enum Again {
        case no
        /// Perhaps the next time; the server may have said when.
        case later(Duration?)
        /// No connection was made: another endpoint may be better.
        case unreachable
    }

    var failure: RegistryFailure
    var again: Again
    /// It looks as if no plain HTTP were spoken there.
    var suggestsTLS: Bool

    init(_ failure: RegistryFailure, _ again: Again = .no, suggestsTLS: Bool = false) {
        self.failure = failure
        self.again = again
        self.suggestsTLS = suggestsTLS
    }

    /// The same failure, told of a proxy where one is in between.
    fileprivate func through(_ proxy: ProxyRules.Proxy?) -> RegistryAttempt {
        guard let proxy else { return self }
        var told = self
        told.failure.reason = "through the proxy \(proxy.host):\(proxy.port): " + failure.reason
        return told
    }

    /// Whatever ended an exchange, in words.
    static func wrap(_ error: any Error, _ url: String) -> RegistryAttempt {
        switch error {
        case let attempt as RegistryAttempt: attempt
        case let failure as RegistryFailure: RegistryAttempt(failure)
        case let stalled as Stalled:
            RegistryAttempt(
                RegistryFailure(
                    .deadline, url: url,
                    stalled.bytes == 0
                        ? "nothing came for \(stalled.timeout)"
                        : "only \(stalled.bytes) bytes came in \(stalled.timeout)"),
                .later(nil))
        default: transport(error, url)
        }
    }

    static func transport(_ error: any Error, _ url: String) -> RegistryAttempt {
        let url = String(url.prefix { $0 != "?" })
        func unreachable(_ reason: String, _ advice: String = "") -> RegistryAttempt {
            RegistryAttempt(RegistryFailure(.unavailable, url: url, reason, advice: advice), .unreachable)
        }
        switch error {
        case is CancellationError: return RegistryAttempt(RegistryFailure(.cancelled, url: url, "cancelled"))
        case let error as HTTPClientError:
            switch error {
            case .cancelled, .requestStreamCancelled, .alreadyShutdown:
                return RegistryAttempt(RegistryFailure(.cancelled, url: url, "cancelled"))
            case .connectTimeout, .getConnectionFromPoolTimeout:
                return unreachable("no connection within the time allowed (dial_timeout in hosts.toml)")
            case .proxyAuthenticationRequired:
                return RegistryAttempt(
                    RegistryFailure(
                        .unauthenticated, url: url, "it wants to know who asks",
                        advice: "write the login into the variable: http://USER:PASSWORD@HOST:PORT"))
            case .tlsHandshakeTimeout: return unreachable("no TLS handshake within the time allowed")
            default: return later(url, error.shortDescription)
            }
        case let error as NIOConnectionError: return unreachable(explain(error))
        case let error as NIOSSLError: return explain(error, unreachable)
        case let error as NIOSSLExtraError:
            return unreachable("TLS: \(error)", "is it the right host, and the certificate for that name?")
        case let error as IOError:
            let text = errnoText(error.errnoCode)
            let noConnection = [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT, ENETDOWN, EHOSTDOWN]
            return noConnection.contains(error.errnoCode) ? unreachable("no connection: \(text)") : later(url, text)
        case HTTPParserError.invalidEOFState: return later(url, "closed in the middle")
        case let error as HTTPParserError:
            var attempt = unreachable("no HTTP is spoken there: \(error.debugDescription)")
            attempt.suggestsTLS = true
            return attempt
        default: return later(url, "\(error)")
        }
    }

    private static func later(_ url: String, _ reason: String) -> RegistryAttempt {
        RegistryAttempt(
            RegistryFailure(.unavailable, url: url, "the connection broke: \(reason)"), .later(nil), suggestsTLS: true)
    }

    private static func explain(
        _ error: NIOSSLError, _ unreachable: (String, String) -> RegistryAttempt
    ) -> RegistryAttempt {
        let text = printable("\(error)".utf8)
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            return unreachable(
                "its certificate is signed by nobody whom this node trusts",
                "name the authority's file as ca in the registry's hosts.toml")
        }
        if text.contains("WRONG_VERSION_NUMBER") || text.contains("HTTP_REQUEST") {
            return unreachable("no TLS is spoken there", "an http:// address in the registry's hosts.toml allows that")
        }
        return unreachable("TLS: \(text)", "")
    }

    private static func explain(_ error: NIOConnectionError) -> String {
        if let failure = error.connectionErrors.first {
            let text = (failure.error as? IOError).map { errnoText($0.errnoCode) } ?? "\(failure.error)"
            return "no connection to \(failure.target): \(text)"
        }
        return "the name \(printable(error.host.utf8)) can't be resolved (DNS)"
    }
}
