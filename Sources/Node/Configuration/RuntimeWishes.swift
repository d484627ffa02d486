import Sandboxes
import Yams

/// What the configuration file says about OCI runtimes, cgroups and devices.
///
/// ```yaml
/// runtimeHandlers:
///   runc: /usr/sbin/runc
///   crun:
///     path: /usr/bin/crun
///     podAnnotations: ["io.katacontainers.*"]
/// cgroupDriver: cgroupfs
/// ```
public struct RuntimeWishes: Sendable, Equatable {
    public var handlers: [String: RuntimeHandler] = [:]
    public var cgroupDriver: CgroupDriver?
    public var seccompProfileRoot: String?
    public var cdiDirectories: [String]?
    public var checkpointDirectory: String?

    public init() {}

    /// Takes a key of the file; false for one that isn't of this part.
    mutating func take(_ key: String, _ value: Node, at place: String) throws(NodeError) -> Bool {
        switch key {
        case "runtimeHandlers": handlers = try Self.handlers(value, place)
        case "cgroupDriver":
            let text = try NodeConfiguration.text(value, key, place)
            guard let driver = CgroupDriver(rawValue: text) else {
                throw NodeError("\(place): \"\(key)\" must be cgroupfs or systemd, not \"\(text)\"")
            }
            cgroupDriver = driver
        case "seccompProfileRoot": seccompProfileRoot = try Self.path(value, key, place)
        case "checkpointDirectory": checkpointDirectory = try Self.path(value, key, place)
        case "cdiSpecDirs":
            let directories = try NodeConfiguration.texts(value, key, place)
            for directory in directories where !directory.hasPrefix("/") {
                throw NodeError("\(place): \"\(key)\": \"\(directory)\" is not an absolute path")
            }
            cdiDirectories = directories
        default: return false
        }
        return true
    }

    /// Puts what is asked for into an engine's configuration.
    func apply(to configuration: inout EngineConfiguration) {
        configuration.runtimeHandlers.merge(handlers) { $1 }
        if let cgroupDriver { configuration.cgroupDriver = cgroupDriver }
        if let seccompProfileRoot { configuration.seccompProfileRoot = seccompProfileRoot }
        if let cdiDirectories { configuration.cdiDirectories = cdiDirectories }
        if let checkpointDirectory { configuration.checkpointDirectory = checkpointDirectory }
    }

    private static func path(_ value: Node, _ key: String, _ place: String) throws(NodeError) -> String {
        let text = try NodeConfiguration.text(value, key, place)
        guard text.hasPrefix("/") else { throw NodeError("\(place): \"\(key)\" must be an absolute path") }
        return text
    }

    private static func handlers(_ value: Node, _ place: String) throws(NodeError) -> [String: RuntimeHandler] {
        guard let mapping = value.mapping else {
            throw NodeError(
                "\(place): \"runtimeHandlers\" must be a mapping of names to runtimes, like `runc: /usr/sbin/runc`")
        }
        var handlers: [String: RuntimeHandler] = [:]
        for (key, value) in mapping {
            let name = key.string ?? ""
            guard isName(name) else {
                throw NodeError(
                    "\(place): runtimeHandlers: \"\(name)\" is no name of a handler (lower-case letters, digits, -)")
            }
            handlers[name] = try handler(value, "runtimeHandlers.\(name)", place)
        }
        return handlers
    }

    private static func handler(_ value: Node, _ key: String, _ place: String) throws(NodeError) -> RuntimeHandler {
        guard let mapping = value.mapping else { return RuntimeHandler(path: try path(value, key, place)) }
        var handler = RuntimeHandler(path: "")
        for (field, value) in mapping {
            let name = field.string ?? ""
            switch name {
            case "path": handler.path = try path(value, key + ".path", place)
            case "podAnnotations": handler.podAnnotations = try NodeConfiguration.texts(value, key, place)
            case "containerAnnotations": handler.containerAnnotations = try NodeConfiguration.texts(value, key, place)
            default:
                throw NodeError(
                    "\(place): \(key): unknown key \"\(name)\" (path, podAnnotations and containerAnnotations are known)"
                )
            }
        }
        guard !handler.path.isEmpty else { throw NodeError("\(place): \(key): path is missing") }
        return handler
    }

    /// As a RuntimeClass's handler is named: a DNS label.
    private static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 63 && text.utf8.first != 45 && text.utf8.last != 45
            && text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
    }
}
