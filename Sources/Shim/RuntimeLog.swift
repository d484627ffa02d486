import Glibc
import JSON

/// What an OCI runtime wrote to its `--log` file in `--log-format json`, and to its standard error.
enum RuntimeLog {
    /// The longest message that is passed on, in bytes.
    static let limit = 2048

    /// The last error of the log; without one, the last line that is no JSON; nil when there is nothing to say.
    static func message(_ text: [UInt8]) -> String? {
        var plain: String?
        for line in text.split(separator: UInt8(ascii: "\n")).reversed() {
            guard let value = try? JSONValue.parse(Array(line), limits: JSONLimits(bytes: 64 << 10, depth: 8)) else {
                plain = plain ?? trimmed(String(decoding: line, as: UTF8.self))
                continue
            }
            guard let level = value["level"]?.stringValue, level == "error" || level == "fatal" || level == "panic",
                let message = value["msg"]?.stringValue
            else { continue }
            return trimmed(message)
        }
        return plain
    }

    private static func trimmed(_ text: String) -> String? {
        var bytes = Array(text.utf8.prefix(limit))
        while let last = bytes.last, last <= 32 { bytes.removeLast() }
        let start = bytes.firstIndex { $0 > 32 } ?? 0
        guard bytes.count > start else { return nil }
        // One line for people, whatever a hostile bundle made the runtime say.
        let line = bytes[start...].map { $0 < 32 || $0 == 127 ? UInt8(ascii: " ") : $0 }
        return String(decoding: line, as: UTF8.self)
    }
}
