import ArgumentParser
import JSON
import SwiftProtobuf

/// The values of `-o`.
enum OutputFormat: String, Sendable, CaseIterable, ExpressibleByArgument {
    case json
    case yaml
    case table
    case goTemplate = "go-template"

    /// Prints a value as JSON or YAML.
    ///
    /// - Throws: ``Failure`` for the formats that aren't documents.
    func print(_ value: JSONValue) throws {
        switch self {
        case .json: say(String(decoding: value.encoded(pretty: true), as: UTF8.self))
        case .yaml: say(try YAMLDocument.text(value))
        case .goTemplate:
            throw Failure(
                "go-template output is not supported: take -o json and a tool like jq, as in … | jq .status.state")
        case .table: throw Failure("there is no table of this; take -o json or -o yaml")
        }
    }

    /// Prints a message as JSON or YAML.
    func print(_ message: some Message) throws { try print(try ProtoDocument.value(of: message)) }
}
