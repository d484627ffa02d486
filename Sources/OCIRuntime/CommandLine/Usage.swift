/// `--help`.
enum Usage {
    static var text: String {
        var text = """
            NAME:
               \(Program.name) - Open Container Initiative runtime

            USAGE:
               \(Program.name) [global options] command [command options] [arguments]

            A container is made from a bundle: a folder with a config.json and a root filesystem. Its id is any name of
            letters, digits and _+-. that no other container below --root has.

            COMMANDS:

            """
        for name in CommandSyntax.names {
            let summary = CommandSyntax.of(name)?.summary ?? ""
            text += "   \(name)" + String(repeating: " ", count: 12 - name.utf8.count) + "\(summary)\n"
        }
        return text + "\nGLOBAL OPTIONS:\n" + CommandSyntax.table(globalFlags)
    }

    /// The default of `--root` has to be looked for, which only the help needs.
    private static var globalFlags: [CommandSyntax.Flag] {
        CommandSyntax.globalFlags.map { flag in
            guard flag.name == "root" else { return flag }
            return .value("root", flag.value ?? "", flag.about + " (default: \(GlobalOptions.standardRoot()))")
        }
    }
}
