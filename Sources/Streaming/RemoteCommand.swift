import JSON
import NIOCore

/// Kubernetes' `remotecommand` over a WebSocket: binary messages whose first byte is the channel
/// (k8s.io/apimachinery/pkg/util/remotecommand, KEP 4006).
public enum RemoteCommand {
    /// The subprotocols that are spoken, best first. Version 5 can close a single channel.
    public enum Version: String, Sendable, CaseIterable {
        case v5 = "v5.channel.k8s.io"
        case v4 = "v4.channel.k8s.io"
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
    }

    /// A terminal's size in characters.
    public struct TerminalSize: Sendable, Hashable {
        public var columns: UInt16
        public var rows: UInt16

        public init(columns: UInt16, rows: UInt16) {
            self.columns = columns
            self.rows = rows
        }

        /// Reads a resize message; nil when it isn't one.
        init?(json bytes: [UInt8]) {
            guard bytes.count <= 128, let value = try? JSONValue.parse(bytes),
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
        Version.allCases.first { offered.contains($0.rawValue) }
    }
}
