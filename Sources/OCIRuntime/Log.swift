import Glibc
import JSON
import Linux

/// runc's log: a line an event, to standard error or to `--log FILE`, as text or JSON.
struct Log {
    enum Format { case text, json }

    var path: String?
    var format = Format.text
    var showsDebug = false
    /// What stands before an error that people read: this program's name, and what it was to do.
    var speaker = Program.name

    /// What is said of one event at most, in bytes: a bundle's author decides how long the names in it are, and standard error
    /// may be a pipe that nobody reads yet.
    private static let longestMessage = 4096

    func error(_ message: String) { write("error", Log.clipped(message)) }
    func warning(_ message: String) { write("warning", Log.clipped(message)) }
    func debug(_ message: @autoclosure () -> String) {
        if showsDebug { write("debug", message()) }
    }

    /// The error goes to the log file, for the engine, and to standard error, for people.
    func final(_ error: RuntimeError) {
        let text = Log.clipped(error.description)
        if path != nil { write("error", text) }
        Log.toStandardError(error.isExecution ? "\(text)\n" : "\(speaker): \(text)\n")
    }

    /// A long text without its middle: what went wrong stands at one end or the other.
    static func clipped(_ text: String) -> String {
        let bytes = text.utf8
        if bytes.count <= longestMessage { return text }
        let head = String(decoding: bytes.prefix(longestMessage * 3 / 4), as: UTF8.self)
        let tail = String(decoding: bytes.suffix(longestMessage / 4), as: UTF8.self)
        return "\(head) … \(tail) (\(bytes.count) bytes)"
    }

    private func write(_ level: String, _ message: String) {
        let line: [UInt8]
        switch format {
        case .json:
            var writer = JSONWriter()
            writer.object { writer in
                writer.required("level", level)
                writer.required("msg", message)
                writer.required("time", Timestamp.now())
            }
            line = writer.bytes + [UInt8(ascii: "\n")]
        case .text:
            var quoted = JSONWriter()
            quoted.value(message)
            let text = String(decoding: quoted.bytes, as: UTF8.self)
            line = Array("time=\"\(Timestamp.now())\" level=\(level) msg=\(text)\n".utf8)
        }
        guard let path else { return Log.toStandardError(line) }
        do throws(SystemError) {
            // A link is followed, as runc does: engines name descriptors, people /dev/stderr.
            try File.open(path, O_WRONLY | O_APPEND | O_CREAT, mode: 0o644).writeAll(line)
        } catch {
            // The log itself can't be written: the person at the terminal is all that is left.
            Log.toStandardError(line)
        }
    }

    private static func toStandardError(_ text: String) { toStandardError(Array(text.utf8)) }

    private static func toStandardError(_ line: [UInt8]) {
        // Nobody is left to be told when standard error is closed too.
        _ = line.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
    }
}
