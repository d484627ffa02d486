import ArgumentParser
import CRI

/// `crictl attach`
struct AttachCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attach", abstract: "Attach to a running container",
        discussion: """
            With a terminal, Ctrl-P Ctrl-Q leaves without stopping the container.

              kubesim crictl attach -it 1f73f2d81bf98
            """)

    @Argument(help: "The container's id") var containerID: String
    @Flag(name: .shortAndLong, help: "Allocate a pseudo-TTY") var tty = false
    @Flag(name: [.customShort("i"), .long], help: "Keep STDIN open") var stdin = false
    @OptionGroup var stream: StreamOptions

    func run() async throws {
        try await withServices { services in
            var request = CRIAttachRequest()
            request.containerID = containerID
            request.tty = tty
            request.stdin = stdin
            request.stdout = true
            request.stderr = !tty
            let asked = request
            let url = try await doing("attaching running container") { try await services.runtime.attach(asked).url }
            let code = try await CommandStream.join(stream.client(url), input: stdin, tty: tty)
            if code != 0 { throw ExitCode(code) }
        }
    }
}
