/// Why a node can't start or a command can't be carried out: one line for a person.
public struct NodeError: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
