import FoundationEssentials
import Logging

/// The node's log on standard error: an event is a line, whatever a manifest, a file name or a plugin has put into it.
///
/// `2026-05-01T12:00:00.123Z info  Pod wanted file=/etc/kubesim/manifests/web.yaml pod=default/web-host`. A value with
/// spaces, quotes or control characters is quoted and escaped as in JSON, so that nobody forges a line (CWE-117).
package struct LineLog: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    package var logLevel: Logger.Level = .info
    private let write: @Sendable (String) -> Void

    package init(write: @escaping @Sendable (String) -> Void = StandardError.write) { self.write = write }

    package subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let own = event.metadata { all.merge(own) { $1 } }
        var line = Self.now() + " " + event.level.rawValue
        line += String(repeating: " ", count: max(1, 6 - event.level.rawValue.count))
        line += Self.escaped(event.message.description)
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            line += " \(key)=\(Self.value(value.description))"
        }
        write(line + "\n")
    }

    /// Bare when nothing in it could be misread.
    static func value(_ text: String) -> String {
        let isPlain = text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0 != "\"" && $0 != "\\" && !isControl($0) }
        if isPlain && !text.isEmpty { return text }
        return "\"" + escaped(text).replacing("\"", with: "\\\"") + "\""
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case let other where isControl(other): result += "\\u{\(String(other.value, radix: 16))}"
            case let other: result.unicodeScalars.append(other)
            }
        }
        return result
    }

    /// What moves a terminal's cursor, ends a line or turns the direction of the text.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    private static func now() -> String { Date.now.ISO8601Format(.init(includingFractionalSeconds: true)) }
}
