import CRI
import FoundationEssentials
import JSON
import Linux
import SwiftProtobuf
import Yams

/// The files that `runp`, `create` and `run` take: a CRI message as JSON or YAML, names as in the protocol.
enum ConfigurationFile {
    /// The largest file that is read, in bytes.
    static let limit = 1 << 20

    static func pod(_ path: String) throws -> CRIPodSandboxConfig {
        var config = try message(path, as: CRIPodSandboxConfig.self)
        guard config.hasMetadata else { throw Failure("\(path): metadata is not set") }
        guard !config.metadata.name.isEmpty, !config.metadata.namespace.isEmpty else {
            throw Failure("\(path): name or namespace is missing in metadata")
        }
        if config.metadata.uid.isEmpty { config.metadata.uid = UUID().uuidString.lowercased() }
        return config
    }

    static func container(_ path: String) throws -> CRIContainerConfig {
        var config = try message(path, as: CRIContainerConfig.self)
        guard config.hasMetadata, !config.metadata.name.isEmpty else {
            throw Failure("\(path): name is missing in metadata")
        }
        guard !config.image.image.isEmpty else { throw Failure("\(path): image is not set") }
        if config.image.userSpecifiedImage.isEmpty { config.image.userSpecifiedImage = config.image.image }
        return config
    }

    private static func message<M: Message>(_ path: String, as type: M.Type) throws -> M {
        let text: String
        do { text = try File.readText(path, limit: limit) } catch {
            throw Failure(error.errno == .noEntry ? "config at \(path) not found" : "\(error)")
        }
        guard let node = try? Yams.compose(yaml: text) else {
            throw Failure("\(path) is neither JSON nor YAML")
        }
        var document = try json(node, path, depth: 0)
        guard document.objectValue != nil else {
            throw Failure("\(path) holds no \(M.protoMessageName): a map of its fields is expected")
        }
        encodeEnvironment(&document)
        var options = JSONDecodingOptions()
        options.ignoreUnknownFields = true
        do { return try M(jsonUTF8Bytes: document.encoded(pretty: false), options: options) } catch {
            throw Failure("\(path) is no \(M.protoMessageName): \(error)")
        }
    }

    /// Values of environment variables are bytes in the protocol and plain text in these files.
    private static func encodeEnvironment(_ document: inout JSONValue) {
        guard let variables = document["envs"]?.arrayValue else { return }
        document["envs"] = .array(
            variables.map { variable in
                var variable = variable
                if let text = variable["value"]?.stringValue {
                    variable["value"] = .string(Data(text.utf8).base64EncodedString())
                }
                return variable
            })
    }

    private static func json(_ node: Node, _ path: String, depth: Int) throws -> JSONValue {
        guard depth < 64 else { throw Failure("\(path): nested too deeply") }
        if let mapping = node.mapping {
            return .object(
                JSONObject(
                    try mapping.map { key, value in
                        JSONObject.Member(key: key.string ?? "", value: try json(value, path, depth: depth + 1))
                    }))
        }
        if let sequence = node.sequence { return .array(try sequence.map { try json($0, path, depth: depth + 1) }) }
        if node.null != nil { return .null }
        guard let text = node.scalar?.string else { throw Failure("\(path): an alias is not allowed here") }
        if node.tag == Tag(.bool) || Resolver.default.resolveTag(of: node) == .bool, let flag = node.bool {
            return .bool(flag)
        }
        if Resolver.default.resolveTag(of: node) == .int, let number = node.int { return .int(Int64(number)) }
        if Resolver.default.resolveTag(of: node) == .float, let number = node.float { return .double(number) }
        return .string(text)
    }
}
