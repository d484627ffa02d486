import Linux
import Yams

/// `/etc/crictl.yaml`: a flat map of options.
struct ClientConfiguration: Sendable, Hashable {
    static let defaultPath = "/etc/crictl.yaml"

    /// The options by name; what isn't set isn't there.
    private(set) var values: [String: String] = [:]

    /// Every option that the file may hold, in the order of `config --list`, with its default.
    static let options: [(name: String, zero: String)] = [
        ("runtime-endpoint", ""), ("image-endpoint", ""), ("timeout", "0"), ("debug", "false"),
        ("pull-image-on-create", "false"), ("disable-pull-on-run", "false"), ("max-retries", "0"),
    ]

    /// An option's value, or its default.
    subscript(name: String) -> String {
        values[name] ?? Self.options.first { $0.name == name }?.zero ?? ""
    }

    var runtimeEndpoint: String? { values["runtime-endpoint"].flatMap { $0.isEmpty ? nil : $0 } }
    var imageEndpoint: String? { values["image-endpoint"].flatMap { $0.isEmpty ? nil : $0 } }
    /// Seconds; nil when it isn't set or isn't positive.
    var timeout: Int64? { Int64(self["timeout"]).flatMap { $0 > 0 ? $0 : nil } }
    var debug: Bool { self["debug"] == "true" }
    var pullImageOnCreate: Bool { self["pull-image-on-create"] == "true" }
    var disablePullOnRun: Bool { self["disable-pull-on-run"] == "true" }
    var maximumRetries: Int { Int(self["max-retries"]) ?? 0 }

    /// Reads the file; nil when there is none.
    ///
    /// - Throws: ``Failure`` with path and reason when it can't be read or has something in it that is no option.
    static func read(_ path: String) throws -> ClientConfiguration? {
        do {
            return try parse(try File.readText(path, limit: 1 << 20), path)
        } catch let error as SystemError {
            if error.errno == .noEntry { return nil }
            throw Failure("\(error)")
        }
    }

    static func parse(_ text: String, _ path: String) throws -> ClientConfiguration {
        var configuration = ClientConfiguration()
        let node: Node?
        do { node = try Yams.compose(yaml: text) } catch {
            // The lines after the first one quote the file.
            throw Failure("\(path) is not YAML: \("\(error)".prefix { $0 != "\n" })")
        }
        guard let node, node.null == nil else { return configuration }
        guard let mapping = node.mapping else { throw Failure("\(path): a map of options is expected") }
        for (key, value) in mapping {
            guard let name = key.string, let text = value.scalar?.string else {
                throw Failure("\(path): every option is a name and one value")
            }
            do { try configuration.set(name, text) } catch { throw Failure(path, error) }
        }
        return configuration
    }

    /// Sets an option.
    ///
    /// - Throws: ``Failure`` when there is no such option or the value isn't of its kind.
    mutating func set(_ name: String, _ value: String) throws {
        switch name {
        case "runtime-endpoint", "image-endpoint": values[name] = value
        case "timeout", "max-retries":
            guard Int(value) != nil else { throw Failure("\(name): \"\(value)\" is not a number") }
            values[name] = value
        case "debug", "pull-image-on-create", "disable-pull-on-run":
            guard let flag = ["true": true, "false": false, "1": true, "0": false][value.lowercased()] else {
                throw Failure("\(name): \"\(value)\" is neither true nor false")
            }
            values[name] = flag ? "true" : "false"
        default:
            throw Failure(
                "no configuration option named \(name); there are \(Self.options.map(\.name).joined(separator: ", "))")
        }
    }

    /// The file's text with these options in it; comments and the order of lines stay.
    func text(replacing old: String) -> String {
        var lines = old.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        for (name, zero) in Self.options {
            let value = values[name] ?? zero
            let quoted = zero.isEmpty ? "\"\(value)\"" : value
            if let index = lines.firstIndex(where: { $0.hasPrefix(name + ":") }) {
                lines[index] = "\(name): \(quoted)"
            } else {
                lines.append("\(name): \(quoted)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
