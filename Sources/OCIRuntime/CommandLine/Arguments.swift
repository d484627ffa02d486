/// A command line being read, runc's way: `--flag`, `--name value`, `--name=value`, one dash or two. Flags may also follow the
/// arguments, unless these are another program's command line.
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

    /// Reads flags up to "--" or, where a command line follows, the first argument; `--help` is one of every command's.
    mutating func flags(of syntax: CommandSyntax) throws(RuntimeError) -> Flags {
        var found = Flags()
        var passed: [String] = []
        defer { rest = passed + rest }
        while let word = rest.first {
            guard word.utf8.first == UInt8(ascii: "-"), word != "-" else {
                if syntax.endsFlagsAtArgument { break }
                passed.append(word)
                rest.removeFirst()
                continue
            }
            rest.removeFirst()
            if word == "--" { break }
            let body = word.drop { $0 == "-" }
            let parts = body.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            if name == "help" || name == "h" {
                found.turnOn("help")
                continue
            }
            guard let flag = syntax.flag(name) else {
                throw RuntimeError("flag provided but not defined: -\(name)")
            }
            if flag.value == nil {
                if parts.count == 1 || parts[1] == "true" {
                    found.turnOn(flag.name)
                } else if parts[1] != "false" {
                    throw RuntimeError("invalid value \"\(parts[1])\" for flag --\(name)")
                }
            } else if parts.count > 1 {
                found.take(flag.name, String(parts[1]))
            } else {
                guard let value = rest.popFirst() else { throw RuntimeError("flag needs an argument: --\(name)") }
                found.take(flag.name, value)
            }
        }
        return found
    }

    /// The next argument.
    mutating func next() -> String? { rest.popFirst() }

    /// The container that the command is about.
    mutating func nextID() throws(RuntimeError) -> ContainerID { try ContainerID(rest.popFirst() ?? "") }
}
