import Linux

/// What one command takes: its flags are read by it, and its `--help` is written from it.
struct CommandSyntax: Sendable {
    struct Flag: Sendable {
        let name: String
        let short: String?
        /// What the help calls the value; nil for a switch.
        let value: String?
        let about: String

        static func value(_ name: String, _ value: String, short: String? = nil, _ about: String) -> Flag {
            Flag(name: name, short: short, value: value, about: about)
        }

        static func on(_ name: String, short: String? = nil, _ about: String) -> Flag {
            Flag(name: name, short: short, value: nil, about: about)
        }
    }

    let name: String
    let summary: String
    /// As the help shows them.
    let arguments: String
    let fewest: Int
    /// Nil is any number.
    let most: Int?
    let flags: [Flag]

    init(
        _ name: String, _ summary: String, arguments: String = "<container-id>", fewest: Int = 1, most: Int? = 1,
        _ flags: [Flag] = []
    ) {
        self.name = name
        self.summary = summary
        self.arguments = arguments
        self.fewest = fewest
        self.most = most
        self.flags = flags
    }

    /// Whether what follows the first argument is another program's (`exec`, `ps`) or command's.
    var endsFlagsAtArgument: Bool { most == nil }

    /// The flag that a word without its dashes names.
    func flag(_ name: String) -> Flag? { flags.first { $0.name == name || $0.short == name } }

    /// - Throws: runc's words for too few or too many arguments, after the help on standard output.
    func check(count: Int) throws(RuntimeError) {
        let words: String
        if fewest == most, count != fewest {
            words = "exactly \(fewest)"
        } else if count < fewest {
            words = "a minimum of \(fewest)"
        } else if let most, count > most {
            words = "a maximum of \(most)"
        } else {
            return
        }
        Output.text("Incorrect Usage.\n\n" + help)
        throw RuntimeError("\(Program.name): \"\(name)\" requires \(words) argument(s)")
    }

    /// In runc's shape.
    var help: String {
        var text = """
            NAME:
               \(Program.name) \(name) - \(summary)

            USAGE:
               \(Program.name) \(name) [options] \(arguments)

            OPTIONS:

            """
        text += CommandSyntax.table(flags + [.on("help", short: "h", "show help")])
        return text
    }

    /// One line a flag, the explanations below each other.
    static func table(_ flags: [Flag]) -> String {
        let rows = flags.map { flag in
            let value = flag.value.map { " " + $0 } ?? ""
            return ("--\(flag.name)\(value)" + (flag.short.map { ", -\($0)\(value)" } ?? ""), flag.about)
        }
        let width = (rows.map { $0.0.utf8.count }.max() ?? 0) + 2
        return rows.map { "   \($0)" + String(repeating: " ", count: width - $0.utf8.count) + "\($1)\n" }.joined()
    }
}

/// How this program was called.
enum Program {
    /// The last part of the name, as engines have it in their configuration ("runc", "kubesim-oci").
    static let name: String = {
        let word = CommandLine.arguments.first ?? "kubesim-oci"
        let last = word.split(separator: "/").last.map(String.init) ?? ""
        return last.isEmpty ? "kubesim-oci" : last
    }()
}
