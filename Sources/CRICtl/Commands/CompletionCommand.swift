import ArgumentParser

/// `crictl completion`
struct CompletionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completion", abstract: "Output shell completion code",
        discussion: """
            The code completes the word crictl, so give it that name:

              alias crictl='kubesim crictl'
              source <(kubesim crictl completion bash)
              kubesim crictl completion fish | source
            """)

    @Argument(help: "bash, zsh or fish") var shell = "bash"

    func run() throws {
        guard ["bash", "zsh", "fish"].contains(shell), let shell = CompletionShell(rawValue: shell) else {
            throw Failure("only bash, zsh or fish are supported")
        }
        say(CRICtlTree.completionScript(for: shell))
    }
}
