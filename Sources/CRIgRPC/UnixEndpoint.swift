import CRI
import Glibc

/// The address of a CRI socket: `unix:///run/kubesim/kubesim.sock`, or the bare absolute path.
public struct UnixEndpoint: Sendable, Hashable, CustomStringConvertible {
    /// The socket's absolute path.
    public let path: String

    /// `sun_path` has 108 bytes, the last of them a zero (unix(7)).
    static let longestPath = 107

    /// - Throws: `.invalidArgument` when the text is no unix address or the path is too long for a socket.
    public init(_ text: String) throws(CRIError) {
        if let separator = text.firstRange(of: "://") {
            guard text[..<separator.lowerBound] == "unix" else {
                throw CRIError(
                    .invalidArgument, "endpoint \(text): only unix sockets are supported, as in unix:///run/x.sock")
            }
            path = String(text[separator.upperBound...])
        } else {
            path = text.hasPrefix("unix:") ? String(text.dropFirst("unix:".count)) : text
        }
        guard path.hasPrefix("/") else {
            throw CRIError(.invalidArgument, "endpoint \(text): the path must be absolute, as in unix:///run/x.sock")
        }
        guard path.utf8.count <= Self.longestPath else {
            throw CRIError(
                .invalidArgument,
                "endpoint \(text): the path has \(path.utf8.count) bytes, and a unix socket's may have "
                    + "\(Self.longestPath) at most; choose a shorter one (--socket)")
        }
        guard !path.utf8.contains(0) else { throw CRIError(.invalidArgument, "endpoint: a path can't contain NUL") }
    }

    public var description: String { "unix://\(path)" }

    /// Opens a connection and closes it at once: is anybody there?
    ///
    /// - Returns: nil when somebody listens, else the errno of connect(2).
    func probe() -> Int32? {
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return errno }
        defer { close(socket) }
        return withAddress { connect(socket, $0, $1) == 0 ? nil : errno }
    }

    /// Calls `body` with the path as a `sockaddr_un`.
    func withAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
    }
}

/// The words for an errno: "Connection refused (errno 111)".
func describe(_ code: Int32) -> String { "\(String(cString: strerror(code))) (errno \(code))" }
