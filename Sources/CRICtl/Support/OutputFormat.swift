import ArgumentParser
import JSON
import SwiftProtobuf

/// The values of `-o`.
enum OutputFormat: String, Sendable, CaseIterable, ExpressibleByArgument {
    case json
    case yaml
    case table
    case goTemplate = "go-template"

    /// Prints a value as JSON, as YAML, or as a template has it.
    ///
    /// - Throws: ``Failure`` for a table, which isn't a document, and for a template that is wrong or doesn't fit.
    func print(_ value: JSONValue, template: String? = nil) throws {
        switch self {
        case .json: say(String(decoding: value.encoded(pretty: true), as: UTF8.self))
        case .yaml: say(try YAMLDocument.text(value))
        case .goTemplate:
            guard let template else {
                throw Failure("-o go-template needs a --template, as in --template '{{.status.id}}'")
            }
            do { say(try GoTemplate(template).text(of: value)) } catch { throw Failure("template", error) }
        case .table: throw Failure("there is no table of this; take -o json or -o yaml")
        }
    }

    /// Prints a message as JSON, as YAML, or as a template has it.
    func print(_ message: some Message, template: String? = nil) throws {
        try print(try ProtoDocument.value(of: message), template: template)
    }
}
