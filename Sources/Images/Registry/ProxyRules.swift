import Glibc

/// Which proxy a request goes through, as Go's programs read it from the environment: containerd's users set these variables in
/// its unit (golang.org/x/net/http/httpproxy).
///
/// Never through one go requests to this machine itself. Any other is tunnelled (CONNECT), also one in plain HTTP.
public struct ProxyRules: Sendable, Hashable {
    /// For `http://` and for `https://` addresses; nil is none.
    var plain: Proxy?
    var secure: Proxy?
    private var exceptions: [ProxyException] = []
    /// What of the variables can't be used, and why; such a pull fails instead of going around the proxy.
    public private(set) var mistake: String?

    struct Proxy: Sendable, Hashable {
        enum Kind: Sendable, Hashable {
            case http
            case socks5
        }

        var kind: Kind
        var host: String
        var port: Int
        /// `user:password`
        var login: String?
    }

    /// None.
    public init() {}

    /// - Parameter variables: gives a variable's value
    public init(variables: (String) -> String?) {
        func value(_ name: String) -> String? {
            [name, name.lowercased()].compactMap(variables).first { !$0.isEmpty }
        }
        plain = value("HTTP_PROXY").flatMap { read($0, from: "HTTP_PROXY") }
        secure = value("HTTPS_PROXY").flatMap { read($0, from: "HTTPS_PROXY") }
        exceptions = (value("NO_PROXY") ?? "").split(separator: ",").compactMap { ProxyException(String($0)) }
    }

    /// Those of this process's environment.
    public static func ofEnvironment() -> ProxyRules { ProxyRules(variables: environment) }

    /// The proxy on the way to an address; nil for the straight way.
    func proxy(to address: HostAddress) -> Proxy? {
        guard !address.isLoopback, let proxy = address.isSecure ? secure : plain else { return nil }
        let host = address.host.filter { $0 != "[" && $0 != "]" }
        return exceptions.contains { $0.covers(host, port: address.effectivePort) } ? nil : proxy
    }

    private mutating func read(_ text: String, from variable: String) -> Proxy? {
        let (scheme, rest) = Self.cut(text)
        let login = rest.lastIndex(of: "@").map { Self.decoded(rest[..<$0]) }
        let place = rest.lastIndex(of: "@").map { rest[rest.index(after: $0)...] } ?? rest[...]
        let kinds: [String: (Proxy.Kind, Int)] = [
            "http": (.http, 80), "socks5": (.socks5, 1080), "socks5h": (.socks5, 1080),
        ]
        guard let (kind, port) = kinds[scheme], let address = HostAddress(scheme: "http", authority: String(place))
        else {
            // The login in it is nobody's business.
            mistake =
                "\(variable): '\(printable("\(scheme)://\(place)".utf8))' is no proxy that can be used; write"
                + " http://HOST:PORT or socks5://HOST:PORT"
            return nil
        }
        if kind == .socks5, login != nil {
            mistake = "\(variable): a SOCKS proxy with a login can't be used"
            return nil
        }
        let host = address.host.filter { $0 != "[" && $0 != "]" }
        return Proxy(kind: kind, host: host, port: address.port ?? port, login: login)
    }

    /// `scheme://rest`, http where none is said; a path behind it means nothing.
    private static func cut(_ text: String) -> (scheme: String, rest: Substring) {
        var (scheme, rest) = ("http", text[...])
        if let mark = text.firstRange(of: "://") {
            scheme = text[..<mark.lowerBound].lowercased()
            rest = text[mark.upperBound...]
        }
        return (scheme, rest.prefix { $0 != "/" })
    }

    /// Percent-decoded: so a login in an address has to be written.
    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            if byte == UInt8(ascii: "%"), digits.utf8.count == 2, let code = UInt8(digits, radix: 16) {
                bytes.append(code)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
