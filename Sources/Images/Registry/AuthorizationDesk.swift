import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

/// Knows what to show to whom during one pull. What is shown to one origin is never shown to another.
final class AuthorizationDesk: Sendable {
    private let image: ImageReference
    private let helper: String?
    private let shown = Mutex<[HostAddress.Origin: String]>([:])

    init(_ route: RegistryRoute) {
        image = route.image
        helper = route.helper
        for stop in route.stops {
            guard let token = stop.credentials?.registryToken, !token.isEmpty, Self.isHeaderSafe(token) else {
                continue
            }
            shown.withLock { $0[stop.endpoint.address.origin] = "Bearer " + token }
        }
    }

    func header(for origin: HostAddress.Origin) -> String? { shown.withLock { $0[origin] } }

    /// Finds an answer to what a registry asks for.
    ///
    /// - Parameters:
    ///   - refused: what it was shown, and didn't like
    ///   - tokens: asks a token server
    /// - Throws: when there is none
    func answer(
        _ challenges: [Challenge], at stop: RegistryRoute.Stop, url: String, refused: String?,
        tokens: (TokenRequest) async throws(RegistryAttempt) -> String
    ) async throws(RegistryAttempt) {
        let origin = stop.endpoint.address.origin
        let current = header(for: origin)
        // Another layer's request has found an answer meanwhile.
        if let current, current != refused { return }
        let credentials = stop.credentials
        guard refused == nil || refused?.hasPrefix("Bearer ") == true && credentials?.registryToken.isEmpty != false
        else { throw unauthenticated(url, "the registry doesn't accept \(credentials ?? RegistryCredentials())") }
        let basic: (username: String, password: String)?
        do throws(ImportFailure) {
            basic = try credentials?.basic()
        } catch {
            guard case .refused(_, let reason) = error else { throw unauthenticated(url, "\(error)") }
            throw unauthenticated(url, reason)
        }
        if let bearer = challenges.first(where: { $0.scheme == "bearer" }) {
            let request = try TokenRequest(
                bearer, scope: "repository:\(image.path):pull", credentials: credentials, basic: basic,
                from: stop.endpoint.address, url: url)
            let token = try await tokens(request)
            shown.withLock { $0[origin] = "Bearer " + token }
        } else if challenges.contains(where: { $0.scheme == "basic" }) {
            guard let basic else { throw unauthenticated(url, "the registry wants a user name and a password") }
            let value = "Basic " + Base64.encode("\(basic.username):\(basic.password)")
            shown.withLock { $0[origin] = value }
        } else {
            let schemes = challenges.map { printable($0.scheme.utf8) }.joined(separator: ", ")
            throw unauthenticated(
                url,
                "the registry wants a way of authentication that isn't done: \(schemes.isEmpty ? "none named" : schemes)"
            )
        }
    }

    func unauthenticated(_ url: String, _ reason: String) -> RegistryAttempt {
        let advice =
            helper.map { "config.json leaves the credentials to the program \(printable($0.utf8)), which isn't run" }
            ?? "give credentials with imagePullSecrets, crictl pull --creds, or /etc/kubesim/config.json"
        return RegistryAttempt(RegistryFailure(.unauthenticated, url: url, reason, advice: advice))
    }

    static func isHeaderSafe(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 64 << 10 && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
    }
}

/// What a token server is asked (distribution's token authentication specification, and its OAuth2 variant).
struct TokenRequest: Sendable {
    var target: RequestTarget
    /// nil for a GET.
    var form: String?
    var authorization: String?

    static let clientID = "kubesim"

    init(
        _ challenge: Challenge, scope standard: String, credentials: RegistryCredentials?,
        basic: (username: String, password: String)?, from registry: HostAddress, url: String
    ) throws(RegistryAttempt) {
        let realm = challenge.parameters["realm"] ?? ""
        guard var target = RequestTarget(realm) else {
            throw RegistryAttempt(
                RegistryFailure(
                    .refused, url: url,
                    "the registry names no token server that can be asked: \"\(printable(realm.utf8))\""
                ))
        }
        // Whoever sits between must not be able to ask for the password in plain.
        guard target.address.isSecure || !registry.isSecure else {
            throw RegistryAttempt(
                RegistryFailure(.refused, url: url, "the token server \(target.shown) is not spoken to without TLS"))
        }
        var pairs: [(String, String)] = []
        if let service = challenge.parameters["service"] { pairs.append(("service", service)) }
        let scope = challenge.parameters["scope"] ?? ""
        pairs.append(("scope", scope.isEmpty ? standard : scope))
        pairs.append(("client_id", Self.clientID))
        if let token = credentials?.identityToken, !token.isEmpty {
            pairs += [("grant_type", "refresh_token"), ("refresh_token", token)]
            form = Self.query(pairs)
        } else {
            if let basic {
                pairs.append(("account", basic.username))
                authorization = "Basic " + Base64.encode("\(basic.username):\(basic.password)")
            }
            target.query = (target.query.map { $0 + "&" } ?? "") + Self.query(pairs)
        }
        self.target = target
    }

    private static func query(_ pairs: [(String, String)]) -> String {
        pairs.map { "\($0.0)=\(RequestTarget.escaped($0.1))" }.joined(separator: "&")
    }
}
