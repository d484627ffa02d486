/// A command line being read, runc's way: `--flag`, `--name value`, `--name=value`, one dash or two, flags before arguments.
struct Arguments {
    private var rest: ArraySlice<String>

    init(_ arguments: some Collection<String>) { rest = ArraySlice(Array(arguments)) }

    /// What is left after the flags.
    var remaining: [String] { Array(rest) }

    /// The flags of one command.
    struct Flags {
        private(set) var values: [(name: String, value: String)] = []
        private(set) var switches: Set<String> = []

        subscript(name: String) -> String? { values.last { $0.name == name }?.value }
        func all(_ name: String) -> [String] { values.filter { $0.name == name }.map(\.value) }
        func has(_ name: String) -> Bool { switches.contains(name) }

        mutating func take(_ name: String, _ value: String) { values.append((name, value)) }
        mutating func turnOn(_ name: String) { switches.insert(name) }
    }

    /// Reads flags up to the first argument or "--".
    /// - Parameters:
    ///   - values: names of flags with a value; "b|bundle" gives a short form to "bundle".
    ///   - switches: names of flags without one.
    mutating func flags(values: [String], switches: [String]) throws(RuntimeError) -> Flags {
        var found = Flags()
        while let word = rest.first, word.utf8.first == UInt8(ascii: "-"), word != "-" {
            rest.removeFirst()
            if word == "--" { break }
            let body = word.drop { $0 == "-" }
            let parts = body.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            if let known = Arguments.find(name, switches) {
                if parts.count == 1 || parts[1] == "true" {
                    found.turnOn(known)
                } else if parts[1] != "false" {
                    throw RuntimeError("invalid value \"\(parts[1])\" for flag --\(name)")
                }
            } else if let known = Arguments.find(name, values) {
                if parts.count > 1 {
                    found.take(known, String(parts[1]))
                } else {
                    guard let value = rest.popFirst() else { throw RuntimeError("flag needs an argument: --\(name)") }
                    found.take(known, value)
                }
            } else {
                throw RuntimeError("flag provided but not defined: -\(name)")
            }
        }
        return found
    }

    private static func find(_ name: String, _ known: [String]) -> String? {
        for entry in known {
            let forms = entry.split(separator: "|")
            if forms.contains(where: { $0 == name }) { return forms.last.map(String.init) }
        }
        return nil
    }

    /// The next argument.
    mutating func next() -> String? { rest.popFirst() }

    /// Exactly one argument is left: the container's id.
    mutating func onlyID(_ command: String) throws(RuntimeError) -> ContainerID {
        let id = try nextID(command)
        if !rest.isEmpty { throw RuntimeError("\(command): \"\(command)\" requires exactly 1 argument(s)") }
        return id
    }

    mutating func nextID(_ command: String) throws(RuntimeError) -> ContainerID {
        guard let id = rest.popFirst() else {
            throw RuntimeError("\(command): \"\(command)\" requires a container id")
        }
        return try ContainerID(id)
    }
}
