import ArgumentParser
import FoundationEssentials
import JSON
import NodeControl
import SwiftProtobuf
import Yams

/// `kubesim pods`: what `kubectl get pods` is to a cluster.
public struct PodsCommand: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "pods", abstract: "List the node's pods with their status.",
        discussion: """
            Also names the manifest files that were refused, and why.

              kubesim pods
              kubesim pods -o wide
              kubesim pods -o json | jq '.items[].status.phase'
            """)

    @OptionGroup(title: "The node") var node: NodeOptions

    @Option(name: [.customShort("o"), .customLong("output")], help: "json, yaml, wide or table.")
    var output: PodsFormat = .table

    @Option(name: [.customShort("n"), .customLong("namespace")], help: "Only pods of this namespace.")
    var namespace: String?

    public init() {}

    public func run() async throws {
        let configuration = try node.configuration()
        let response = try await ControlClient.use(socket: node.places(configuration).socket) { client in
            try await client.listPods(ControlListPodsRequest())
        }
        let list = try Self.list(Array(response.podList), of: namespace)
        switch output {
        case .json: print(String(decoding: list, as: UTF8.self))
        case .yaml:
            guard let tree = try Yams.compose(yaml: String(decoding: list, as: UTF8.self)) else { return }
            print(try Yams.serialize(node: tree.inBlockStyle), terminator: "")
        case .table, .wide:
            let pods = try JSONDecoder().decode(PodList.self, from: Data(list)).items
            print(PodTable.text(pods, wide: output == .wide))
        }
        for refused in response.refused {
            StandardError.write("refused \(refused.file):\n")
            for line in refused.reason.split(separator: "\n") { StandardError.write("  \(line)\n") }
        }
    }
}

extension PodsCommand {
    /// A PodList with the pods of one namespace, or of all.
    static func list(_ document: [UInt8], of namespace: String?) throws -> [UInt8] {
        guard let namespace else { return document }
        var list = try JSONValue.parse(document)
        let items = list["items"]?.arrayValue ?? []
        list["items"] = .array(items.filter { $0["metadata"]?["namespace"]?.stringValue == namespace })
        return list.encoded(pretty: true)
    }
}

enum PodsFormat: String, ExpressibleByArgument, CaseIterable {
    case table, wide, json, yaml
}

extension Yams.Node {
    /// The same tree without JSON's braces and quotes.
    var inBlockStyle: Yams.Node {
        switch self {
        case .mapping(let mapping):
            .mapping(
                .init(mapping.map { ($0.key.inBlockStyle, $0.value.inBlockStyle) }, mapping.tag, .block))
        case .sequence(let sequence): .sequence(.init(sequence.map(\.inBlockStyle), sequence.tag, .block))
        case .scalar(let scalar):
            .scalar(.init(scalar.string, tag, scalar.style == .doubleQuoted ? Self.style(of: scalar.string) : .any))
        case .alias: self
        }
    }

    /// A text that would read as something else without its quotes keeps them.
    private static func style(of text: String) -> Yams.Node.Scalar.Style {
        Resolver.default.resolveTag(of: Yams.Node(text, Tag(.implicit))) == .str ? .any : .doubleQuoted
    }
}
