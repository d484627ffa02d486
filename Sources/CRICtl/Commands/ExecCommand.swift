import ArgumentParser
import CRI
import Glibc

/// `crictl exec`
struct ExecCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec", abstract: "Run a command in a running container",
        usage: "kubesim crictl exec [<options>] [CONTAINER-ID] COMMAND [ARG...]",
        discussion: """
            The CONTAINER-ID is left away when a filter says which containers are meant. The exit code is the command's.

              kubesim crictl exec -it 1f73f2d81bf98 sh
              kubesim crictl exec -s --timeout 5 1f73f2d81bf98 cat /etc/hosts
              kubesim crictl exec --name '^web$' ps aux
            """)

    @Flag(name: .shortAndLong, help: "Run the command synchronously") var sync = false
    @Option(help: "Timeout in seconds") var timeout: Int64 = 0
    @Flag(name: .shortAndLong, help: "Allocate a pseudo-TTY") var tty = false
    @Flag(name: .shortAndLong, help: "Keep STDIN open") var interactive = false
    @OptionGroup var stream: StreamOptions
    @Option(help: "Exec command for all containers matching this name filter regular expression pattern")
    var name: String?
    @Option(name: .shortAndLong, help: "Exec command for all containers matching this pod ID filter") var pod: String?
    @Option(help: "Exec command for all containers matching this container image filter") var image: String?
    @Option(help: "Exec command for all containers matching this container state filter") var state: String?
    @Option(help: "Exec command for all containers matching this key=value label filter") var label: [String] = []
    @Flag(name: .shortAndLong, help: "Exec command for the most recently created container") var latest = false
    @Option(
        name: [.customShort("n"), .long],
        help: "Exec command for all last n containers, set to 0 for unlimited")
    var last: Int?
    @Flag(name: .shortAndLong, help: "Do not print the container ID if multiple containers are selected")
    var quiet = false
    @Flag(name: [.customShort("e"), .long], help: "Ignore errors during command execution") var ignoreErrors = false
    @Flag(name: [.customShort("x"), .long], help: "Run the command in parallel if multiple containers are selected")
    var parallel = false
    @Argument(parsing: .captureForPassthrough, help: "[CONTAINER-ID] COMMAND [ARG...]") var words: [String] = []

    private var filters: Bool {
        name != nil || pod != nil || image != nil || state != nil || !label.isEmpty || latest || last != nil
    }

    func validate() throws {
        // What stands behind the options is taken as it is, also where it is nobody's command.
        if let first = words.first, ["-h", "--help"].contains(first) { throw CleanExit.helpRequest(self) }
        if words.filter({ $0 != "--" }).count < (filters ? 1 : 2) {
            throw ValidationError(filters ? "a command is missing" : "a container's id and a command are needed")
        }
    }

    func run() async throws {
        try await withServices(timeout: nil) { services in
            var command = words
            if command.first == "--" { command.removeFirst() }
            var ids: [String] = []
            if filters {
                let selection = ContainerSelection(
                    name: name, pod: pod, image: image, state: state, labels: label, latest: latest, last: last)
                ids = try await selection.containers(services).map(\.id)
                if ids.isEmpty { throw Failure("no container was found by the filter") }
            } else {
                ids = [command.removeFirst()]
                if command.first == "--" { command.removeFirst() }
            }
            let codes = try await run(command, in: ids, services)
            if let code = codes.first(where: { $0 != 0 }), !ignoreErrors { throw ExitCode(code) }
        }
    }

    private func run(_ command: [String], in ids: [String], _ services: Services) async throws -> [Int32] {
        guard parallel, ids.count > 1 else {
            var codes: [Int32] = []
            for id in ids {
                if filters && !quiet { say("\(id):") }
                codes.append(try await run(command, in: id, services))
            }
            return codes
        }
        return try await withThrowingTaskGroup(of: Int32.self) { group in
            for id in ids { group.addTask { try await run(command, in: id, services) } }
            var codes: [Int32] = []
            for try await code in group { codes.append(code) }
            return codes
        }
    }

    private func run(_ command: [String], in id: String, _ services: Services) async throws -> Int32 {
        do {
            return sync ? try await runSync(command, id, services) : try await runStreaming(command, id, services)
        } catch {
            let failure = Failure("execing command in container \(id)", error)
            guard ignoreErrors else { throw failure }
            warn(failure.description)
            return 0
        }
    }

    private func runSync(_ command: [String], _ id: String, _ services: Services) async throws -> Int32 {
        var request = CRIExecSyncRequest()
        request.containerID = id
        request.cmd = command
        request.timeout = timeout
        let response = try await services.runtime.execSync(request)
        if response.exitCode == 0 {
            // crictl prints both, one after the other, each with a line end.
            Output.current.write(Array(response.stdout) + [10] + Array(response.stderr) + [10])
        } else {
            Output.current.write(Array(response.stdout))
            Output.current.writeError(Array(response.stderr))
        }
        return response.exitCode
    }

    private func runStreaming(_ command: [String], _ id: String, _ services: Services) async throws -> Int32 {
        var request = CRIExecRequest()
        request.containerID = id
        request.cmd = command
        request.tty = tty
        request.stdin = interactive
        request.stdout = true
        request.stderr = !tty
        let url = try await services.runtime.exec(request).url
        let client = try stream.client(url)
        let tty = tty
        let interactive = interactive
        return try await limited(timeout) {
            try await CommandStream.join(client, input: interactive, tty: tty)
        }
    }
}

/// Runs `body`, for `seconds` at most unless that is 0.
private func limited(_ seconds: Int64, _ body: @escaping @Sendable () async throws -> Int32) async throws -> Int32 {
    guard seconds > 0 else { return try await body() }
    return try await withThrowingTaskGroup(of: Int32.self) { group in
        defer { group.cancelAll() }
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: .seconds(seconds))
            throw Failure("the command did not end within \(seconds) s")
        }
        return try await group.next() ?? 1
    }
}
