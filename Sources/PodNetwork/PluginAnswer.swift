import JSON
import Linux

/// What plugins answer, in words.
enum PluginAnswer {
    /// Why a plugin that failed says it failed (CNI 1.1.0, section 5, Error).
    static func failure(_ run: PluginRun) -> String {
        var text: String
        // An answer that isn't JSON is shown as it is.
        if let value = try? JSONValue.parse(run.output), let message = value["msg"]?.stringValue {
            text = message
            if let details = value["details"]?.stringValue, !details.isEmpty { text += "; " + details }
            if let code = value["code"]?.uintValue { text += " (code \(code))" }
        } else {
            switch run.status {
            case .exited(let code): text = "it ended with exit code \(code)"
            case .signalled(let signal): text = "it was ended by signal \(signal)"
            }
            text += excerpt(run.output)
        }
        return text + excerpt(run.errors)
    }

    /// The plugin's own number for what went wrong; nil if it gave none.
    static func code(_ run: PluginRun) -> UInt64? {
        // An answer that isn't JSON has none.
        (try? JSONValue.parse(run.output))?["code"]?.uintValue
    }

    /// `: ` and the beginning of a stream on one line; nothing if it is empty.
    static func excerpt(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes.prefix(1024), as: UTF8.self).split { $0.isNewline }.joined(separator: " / ")
        return text.isEmpty ? "" : ": " + text
    }
}
