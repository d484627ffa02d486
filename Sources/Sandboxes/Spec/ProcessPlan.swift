import CRI
import Images
import OCISpec

/// What a container's first process is, from the config and the image: pure, and wary of both.
enum ProcessPlan {
    static let defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// `command` replaces the entrypoint and with it the image's arguments; `args` replace the image's arguments.
    static func arguments(config: CRIContainerConfig, image: ImageConfig) throws(CRIError) -> [String] {
        var command = config.command
        var arguments = config.args
        if command.isEmpty {
            if arguments.isEmpty { arguments = image.cmd }
            command = image.entrypoint
        }
        let all = command + arguments
        guard !all.isEmpty else {
            throw CRIError(.invalidArgument, "no command: neither the config nor the image names one")
        }
        for argument in all { try refuseNul(argument, "argument") }
        return all
    }

    /// The image's variables, then ours, then the config's: later ones win, each name stands once.
    static func environment(
        config: CRIContainerConfig, image: ImageConfig, hostname: String, home: String?
    ) throws(CRIError) -> [String] {
        var order: [String] = []
        var values: [String: String] = [:]
        func set(_ name: String, _ value: String) {
            if values.updateValue(value, forKey: name) == nil { order.append(name) }
        }
        set("PATH", String(defaultPath.dropFirst(5)))
        for entry in image.env {
            guard let equals = entry.firstIndex(of: "="), equals != entry.startIndex else { continue }
            try refuseNul(entry, "image's environment")
            set(String(entry[..<equals]), String(entry[entry.index(after: equals)...]))
        }
        set("HOSTNAME", hostname)
        if config.tty, values["TERM"] == nil { set("TERM", "xterm") }
        for entry in config.envs {
            let value = String(decoding: entry.value, as: UTF8.self)
            try refuseNul(entry.key + value, "environment")
            guard !entry.key.isEmpty, !entry.key.contains("=") else {
                throw CRIError(.invalidArgument, "environment variable \"\(entry.key)\": not a name")
            }
            set(entry.key, value)
        }
        if values["HOME"] == nil { set("HOME", home ?? "/") }
        return order.map { "\($0)=\(values[$0] ?? "")" }
    }

    /// The config's directory, else the image's, else the root; absolute and without `.` and `..`.
    static func workingDirectory(config: CRIContainerConfig, image: ImageConfig) throws(CRIError) -> String {
        let text = config.workingDir.isEmpty ? image.workingDir : config.workingDir
        try refuseNul(text, "working directory")
        return cleanPath(text)
    }

    /// `text` as an absolute path without `.`, `..` and doubled slashes, as it reads inside a root of its own.
    static func cleanPath(_ text: String) -> String {
        var parts: [Substring] = []
        for part in text.split(separator: "/") {
            switch part {
            case ".": continue
            case "..": _ = parts.popLast()
            default: parts.append(part)
            }
        }
        return "/" + parts.joined(separator: "/")
    }

    static func refuseNul(_ text: String, _ what: String) throws(CRIError) {
        guard !text.utf8.contains(0) else { throw CRIError(.invalidArgument, "\(what): contains a NUL character") }
    }
}
