/// A place in an object, in Kubernetes' writing: `spec.containers[0].ports[1].hostPort`, `metadata.labels[app]`.
public struct FieldPath: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// One step down.
    public enum Step: Sendable, Hashable {
        /// Into a field of an object.
        case field(String)
        /// Into an element of a list.
        case index(Int)
        /// Into a value of a map with free keys.
        case key(String)
    }

    /// From the object's top.
    public let steps: [Step]

    /// A path by its steps; none is the object itself.
    public init(_ steps: [Step] = []) { self.steps = steps }

    /// The path of a field below this one.
    public func field(_ name: String) -> FieldPath { FieldPath(steps + [.field(name)]) }

    /// The path of an element below this one.
    public func index(_ index: Int) -> FieldPath { FieldPath(steps + [.index(index)]) }

    /// The path of a map's value below this one.
    public func key(_ key: String) -> FieldPath { FieldPath(steps + [.key(key)]) }

    public var description: String {
        var text = ""
        for step in steps {
            switch step {
            case .field(let name): text += (text.isEmpty ? "" : ".") + Self.shown(name)
            case .index(let index): text += "[\(index)]"
            case .key(let key): text += "[\(Self.shown(key))]"
            }
        }
        return text
    }

    /// A name from a file as a terminal may see it.
    private static func shown(_ name: String) -> String {
        if name.utf8.count <= 256,
            name.unicodeScalars.allSatisfy({ $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) })
        {
            return name
        }
        return quoted(name)
    }

    public static func < (left: Self, right: Self) -> Bool { left.description < right.description }
}
