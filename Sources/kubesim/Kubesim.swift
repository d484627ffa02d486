import ArgumentParser
import CRICtl
import Node

/// The program that people meet: the node, and the tools to look inside.
@main
struct Kubesim: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kubesim",
        abstract: "Turns a Linux box into a Kubernetes node.",
        discussion: """
            Start a node, drop a Pod manifest into its directory, and look at what runs:

              kubesim check
              kubesim node &
              cp web.tar /var/lib/kubesim/images/
              cp web.yaml /etc/kubesim/manifests/
              kubesim pods
              kubesim crictl ps
            """,
        version: KubesimVersion.text,
        subcommands: [
            NodeCommand.self, CRICommand.self, PodsCommand.self, CRICtlCommand.self, ImageCommand.self,
            CheckCommand.self, CompletionCommand.self, VersionCommand.self,
        ])
}
