/// The lines that describe one object, without a table.
struct Listing {
    private(set) var lines: [String] = []

    mutating func add(_ name: String, _ value: String) { lines.append("\(name): \(value)") }

    mutating func addUnlessEmpty(_ name: String, _ value: String) {
        if !value.isEmpty { add(name, value) }
    }

    /// Labels or annotations, sorted; nothing when there are none.
    mutating func add(_ name: String, _ map: [String: String]) {
        guard !map.isEmpty else { return }
        lines.append("\(name):")
        for (key, value) in map.sorted(by: { $0.key < $1.key }) { lines.append("\t\(key) -> \(value)") }
    }

    var text: String { lines.map { $0 + "\n" }.joined() }
}
