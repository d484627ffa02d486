import ArgumentParser
import CRICtl

/// `kubesim completion`
struct CompletionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completion", abstract: "Print a shell's code that completes kubesim's commands and options.",
        discussion: """
              source <(kubesim completion bash)
              kubesim completion zsh > "${fpath[1]}/_kubesim"
              kubesim completion fish | source

            `make install` puts all three where the shells look. For the word crictl: kubesim crictl completion.
            """)

    @Argument(help: "bash, zsh or fish.") var shell = "bash"

    func validate() throws {
        guard ["bash", "zsh", "fish"].contains(shell) else { throw ValidationError("only bash, zsh or fish are known") }
    }

    func run() throws {
        guard let shell = CompletionShell(rawValue: shell) else { return }
        print(KubesimTree.completionScript(for: shell))
    }
}

/// The program as a shell sees it: crictl's verbs, which crictl reads for itself, are a part of it.
private struct KubesimTree: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: Kubesim.configuration.commandName,
        subcommands: Kubesim.configuration.subcommands.map { $0 == CRICtlCommand.self ? CRICtlTree.self : $0 })
}
