import JSON
import NIOCore

/// Kubernetes' `remotecommand`: over a WebSocket messages whose first byte is the channel, over SPDY a stream for each
/// channel (k8s.io/apimachinery/pkg/util/remotecommand, KEP 4006).
public enum RemoteCommand {
    /// The subprotocols of a WebSocket, best first.
    public enum Version: String, Sendable, CaseIterable {
        case v5 = "v5.channel.k8s.io"
        case v4 = "v4.channel.k8s.io"
        case v4Base64 = "v4.base64.channel.k8s.io"
        case v1 = "channel.k8s.io"
        case v1Base64 = "base64.channel.k8s.io"
        /// What a client speaks that names none.
        case unnamed = ""

        /// Messages are text: the channel's digit, and the bytes in base 64.
        var isBase64: Bool { self == .v4Base64 || self == .v1Base64 }
        /// A single channel can be closed.
        var hasClose: Bool { self == .v5 }
        /// How a command ended is said as a `meta/v1` Status, and not as a text or not at all.
        var hasStatus: Bool { self == .v5 || self == .v4 || self == .v4Base64 }
        /// What our client offers.
        static let offered = [Version.v5, .v4]
        static let named = allCases.filter { $0 != .unnamed }
    }

    /// The versions of the streams on a SPDY connection, best first; a stream is ended by SPDY itself.
    enum StreamVersion: String, Sendable, CaseIterable {
        case v5 = "v5.channel.k8s.io"
        case v4 = "v4.channel.k8s.io"
        case v3 = "v3.channel.k8s.io"
        case v2 = "v2.channel.k8s.io"
        case v1 = "channel.k8s.io"

        var hasStatus: Bool { self == .v5 || self == .v4 }
        var hasResize: Bool { self != .v2 && self != .v1 }
    }

    /// The first byte of a message.
    public enum Channel: UInt8, Sendable {
        case stdin = 0
        case stdout = 1
        case stderr = 2
        /// One status at the end.
        case error = 3
        /// `{"Width":80,"Height":24}`
        case resize = 4
        /// Version 5: the second byte is the channel that ends.
        case close = 255

        /// The channel of a SPDY stream by its `streamtype`.
        init?(streamType: String) {
            switch streamType {
            case "stdin": self = .stdin
            case "stdout": self = .stdout
            case "stderr": self = .stderr
            case "error": self = .error
            case "resize": self = .resize
            default: return nil
            }
        }

        var streamType: String { "\(self)" }
    }

    /// A terminal's size in characters.
    public struct TerminalSize: Sendable, Hashable {
        public var columns: UInt16
        public var rows: UInt16

        public init(columns: UInt16, rows: UInt16) {
            self.columns = columns
            self.rows = rows
        }

        /// The longest text that may be a size.
        static let longestJSON = 128

        /// Reads a resize message; nil when it isn't one.
        init?(json bytes: [UInt8]) {
            guard bytes.count <= Self.longestJSON, let value = try? JSONValue.parse(bytes),
                let columns = value["Width"]?.uintValue.flatMap(UInt16.init(exactly:)),
                let rows = value["Height"]?.uintValue.flatMap(UInt16.init(exactly:))
            else { return nil }
            self.init(columns: columns, rows: rows)
        }

        var json: [UInt8] {
            (["Width": .int(Int64(columns)), "Height": .int(Int64(rows))] as JSONValue).encoded(pretty: false)
        }
    }

    /// The subprotocol to speak of those that the client offers; nil when there is none in common.
    static func choose(from offered: [String]) -> Version? {
        offered.isEmpty ? .unnamed : Version.named.first { offered.contains($0.rawValue) }
    }
}
