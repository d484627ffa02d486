import FoundationEssentials
import Yams

/// What the configuration file says; each key may be missing, and a flag of the command line wins over it.
///
/// The file is `/etc/kubesim/kubesim.yaml` unless `--config` names another.
public struct NodeConfiguration: Sendable, Equatable {
    public static let standardFile = "/etc/kubesim/kubesim.yaml"
    /// Larger files are refused: this one is written by hand.
    static let largestFileBytes = 64 << 10

    public var wishes = NodePlaces.Wishes()
    public var nodeName: String?
    public var containerRuntimeEndpoint: String?
    public var logLevel: String?
    public var cniConfDir: String?
    public var cniBinDirs: [String]?
    public var clusterDNS: [String]?
    public var clusterDomain: String?
    /// OCI runtimes, cgroups, devices.
    public var runtime = RuntimeWishes()
    /// How long a single step of a pod's making or end (the OCI runtime, a CNI plugin, a mount) may take before it counts as
    /// hung.
    public var stepDeadline: Duration?
    /// Whether NRI plugins may connect, and where; nil leaves it to the node.
    public var nriEnabled: Bool?
    public var nriSocket: String?

    public init() {}

    /// Reads a file; a missing one at the standard place is an empty one.
    ///
    /// - Throws: ``NodeError`` that names file, line, key and what to do.
    public static func read(_ path: String?) throws(NodeError) -> NodeConfiguration {
        let file = path ?? standardFile
        guard FileManager.default.fileExists(atPath: file) else {
            if path == nil { return NodeConfiguration() }
            throw NodeError("cannot read the configuration \(file): no such file")
        }
        guard let data = FileManager.default.contents(atPath: file) else {
            throw NodeError("cannot read the configuration \(file): is it a file, and readable by you?")
        }
        guard data.count <= largestFileBytes else {
            throw NodeError("the configuration \(file) has \(data.count) bytes; \(largestFileBytes) are the most")
        }
        return try parse(String(decoding: data, as: UTF8.self), file: file)
    }

    /// Reads the text of a file.
    package static func parse(_ text: String, file: String) throws(NodeError) -> NodeConfiguration {
        let node: Node?
        do { node = try Yams.compose(yaml: text) } catch {
            // The lines after the first one quote the file.
            throw NodeError("the configuration \(file) is not YAML: \("\(error)".prefix { $0 != "\n" })")
        }
        var configuration = NodeConfiguration()
        guard let node, node.null == nil else { return configuration }
        guard let mapping = node.mapping else {
            throw NodeError(
                "the configuration \(file) must be a mapping of keys to values, like `root: /var/lib/kubesim`")
        }
        for (key, value) in mapping {
            try configuration.take(key.string ?? "", value, at: "\(file):\(key.mark?.line ?? 0)")
        }
        return configuration
    }

    private mutating func take(_ key: String, _ value: Node, at place: String) throws(NodeError) {
        switch key {
        case "root": wishes.root = try Self.text(value, key, place)
        case "state": wishes.state = try Self.text(value, key, place)
        case "manifests": wishes.manifests = try Self.text(value, key, place)
        case "images": wishes.images = try Self.text(value, key, place)
        case "socket": wishes.socket = try Self.text(value, key, place)
        case "podLogs": wishes.podLogs = try Self.text(value, key, place)
        case "podCIDR": wishes.podCIDR = try Self.text(value, key, place)
        case "nodeName": nodeName = try Self.text(value, key, place)
        case "containerRuntimeEndpoint": containerRuntimeEndpoint = try Self.text(value, key, place)
        case "logLevel": logLevel = try Self.text(value, key, place)
        case "cniConfDir": cniConfDir = try Self.text(value, key, place)
        case "cniBinDirs": cniBinDirs = try Self.texts(value, key, place)
        case "clusterDNS": clusterDNS = try Self.texts(value, key, place)
        case "clusterDomain": clusterDomain = try Self.text(value, key, place)
        case "stepDeadline": stepDeadline = try Self.seconds(value, key, place)
        case "nri": try takeNRI(value, place)
        default:
            if try runtime.take(key, value, at: place) { return }
            throw NodeError("\(place): unknown key \"\(key)\"; `kubesim node --help` lists what a node can be told")
        }
    }

    /// `nri: {enabled: false}` or `nri: {socket: /run/nri.sock}`.
    private mutating func takeNRI(_ value: Node, _ place: String) throws(NodeError) {
        guard let mapping = value.mapping else {
            throw NodeError("\(place): \"nri\" must be a mapping with the keys enabled and socket")
        }
        for (key, value) in mapping {
            switch key.string {
            case "enabled":
                guard let enabled = value.bool else {
                    throw NodeError("\(place): \"nri.enabled\" must be true or false")
                }
                nriEnabled = enabled
            case "socket": nriSocket = try Self.text(value, "nri.socket", place)
            default: throw NodeError("\(place): unknown key \"nri.\(key.string ?? "")\"; there are enabled and socket")
            }
        }
    }

    static func text(_ value: Node, _ key: String, _ place: String) throws(NodeError) -> String {
        guard let text = value.scalar?.string, !text.isEmpty else {
            throw NodeError("\(place): \"\(key)\" must be a text")
        }
        return text
    }

    /// A time like `60s` or `2m`.
    private static func seconds(_ value: Node, _ key: String, _ place: String) throws(NodeError) -> Duration {
        let text = value.scalar?.string ?? ""
        guard let number = Int64(text.dropLast()), let unit = text.last, let factor = ["s": 1, "m": 60][unit],
            (1...86_400).contains(number)
        else { throw NodeError("\(place): \"\(key)\" must be a time like 60s or 2m") }
        return .seconds(number * Int64(factor))
    }

    static func texts(_ value: Node, _ key: String, _ place: String) throws(NodeError) -> [String] {
        guard let items = value.sequence else { throw NodeError("\(place): \"\(key)\" must be a list of texts") }
        var all: [String] = []
        for item in items { all.append(try text(item, key, place)) }
        return all
    }
}
