import CLinux
import Glibc
import Linux

/// One command: its flags, then its verb.
enum Commands {
    static func run(_ command: String, _ words: inout Arguments, _ options: GlobalOptions) throws(RuntimeError) -> Int32
    {
        if command == "help" { return try help(words.next()) }
        guard let syntax = CommandSyntax.of(command) else {
            if words.remaining.contains(where: { $0 == "-h" || $0 == "--help" }) { return try help(command) }
            throw RuntimeError("no such command: \(command) (\(Program.name) --help lists them)")
        }
        let flags = try words.flags(of: syntax)
        if flags.has("help") { return try help(command) }
        try syntax.check(count: words.remaining.count)
        if ["create", "run", "exec", "restore"].contains(command) { try ReadOnlySelf.require() }
        switch command {
        case "create": try Create.run(try request(flags, &words, options))
        case "run":
            let request = try request(flags, &words, options)
            return try Run.run(request, Run.Options(detach: flags.has("detach"), keep: flags.has("keep")))
        case "restore":
            var request = try request(flags, &words, options)
            request.notifySocket = nil
            return try Restore.run(request, flags, detach: flags.has("detach"))
        case "exec": return exec(flags, &words, options)
        case "list": try list(flags, options)
        case "ps":
            let id = try words.nextID()
            try Ps.run(id, root: options.root, json: try isJSON(flags), arguments: words.remaining)
        case "spec": try WriteSpec.run(bundle: flags["bundle"], rootless: flags.has("rootless"))
        case "features": Features.run()
        default: try runOnContainer(command, flags, &words, options)
        }
        return 0
    }

    /// The commands on one container that is there.
    private static func runOnContainer(
        _ command: String, _ flags: Arguments.Flags, _ words: inout Arguments, _ options: GlobalOptions
    ) throws(RuntimeError) {
        let id = try words.nextID()
        switch command {
        case "start": try Start.run(id, root: options.root, log: options.log)
        case "state": try ShowState.run(id, root: options.root)
        case "kill": try Kill.run(id, root: options.root, signal: words.next() ?? "TERM", all: flags.has("all"))
        case "delete": try Delete.run(id, root: options.root, force: flags.has("force"), log: options.log)
        case "pause": try Pause.run(id, root: options.root)
        case "resume": try Pause.resume(id, root: options.root)
        case "update": try Update.run(id, root: options.root, flags, log: options.log)
        case "events": try Events.run(id, root: options.root, flags, log: options.log)
        default: try Checkpoint.run(id, root: options.root, flags, log: options.log)
        }
    }

    private static func help(_ command: String?) throws(RuntimeError) -> Int32 {
        if let command {
            guard let syntax = CommandSyntax.of(command) else { throw RuntimeError("No help topic for '\(command)'") }
            Output.text(syntax.help)
        } else {
            Output.text(Usage.text)
        }
        return 0
    }

    private static func isJSON(_ flags: Arguments.Flags) throws(RuntimeError) -> Bool {
        let format = flags["format"] ?? "table"
        guard format == "table" || format == "json" else { throw RuntimeError("invalid format option") }
        return format == "json"
    }

    private static func list(_ flags: Arguments.Flags, _ options: GlobalOptions) throws(RuntimeError) {
        let json = try isJSON(flags)
        try List.run(root: options.root, flags.has("quiet") ? .quiet : json ? .json : .table, log: options.log)
    }

    private static func request(
        _ flags: Arguments.Flags, _ words: inout Arguments, _ options: GlobalOptions
    ) throws(RuntimeError) -> LaunchRequest {
        let id = try words.nextID()
        let activation = SocketActivation.fromEnvironment()
        var request = LaunchRequest(id: id, bundle: flags["bundle"] ?? ".", root: options.root, log: options.log)
        request.pidFile = flags["pid-file"]
        request.consoleSocket = flags["console-socket"]
        request.pidfdSocket = flags["pidfd-socket"]
        request.newKeyring = !flags.has("no-new-keyring")
        request.pivots = !flags.has("no-pivot")
        request.systemdCgroup = options.systemdCgroup
        request.rootless = options.rootless
        request.activation = activation
        request.preservedDescriptors = try preserved(flags["preserve-fds"], after: activation.count)
        request.notifySocket = getenv("NOTIFY_SOCKET").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        return request
    }

    /// How many descriptors after the standard three stay open in the program.
    ///
    /// Each must be open now: a number that is free would be taken by one of the runtime's own, which the program would then
    /// have (CVE-2024-21626).
    private static func preserved(_ text: String?, after others: Int) throws(RuntimeError) -> Int {
        guard let text else { return others }
        guard let number = Int(text), (0...1024).contains(number) else {
            throw RuntimeError("--preserve-fds \(text): not a number from 0 to 1024")
        }
        for offset in 0..<(others + number) where fcntl(Int32(3 + offset), F_GETFD) < 0 {
            throw RuntimeError("--preserve-fds \(text): descriptor \(3 + offset) isn't open")
        }
        return others + number
    }

    private static func exec(_ flags: Arguments.Flags, _ words: inout Arguments, _ options: GlobalOptions) -> Int32 {
        do throws(RuntimeError) {
            let id = try words.nextID()
            return try Exec.run(
                id, root: options.root, try execOptions(flags, words.remaining), log: options.log)
        } catch {
            options.log.final(error)
            // What can't be told from the command's own codes below it, as with runc.
            return 255
        }
    }

    private static func execOptions(
        _ flags: Arguments.Flags, _ arguments: [String]
    ) throws(RuntimeError) -> Exec.Options {
        var exec = Exec.Options()
        exec.arguments = arguments
        exec.processFile = flags["process"]
        exec.pidFile = flags["pid-file"]
        exec.consoleSocket = flags["console-socket"]
        exec.pidfdSocket = flags["pidfd-socket"]
        exec.detach = flags.has("detach")
        exec.terminal = flags.has("tty") ? true : nil
        exec.workingDirectory = flags["cwd"]
        exec.environment = flags.all("env")
        exec.user = flags["user"]
        exec.selinuxLabel = flags["process-label"]
        exec.apparmorProfile = flags["apparmor"]
        for text in flags.all("additional-gids") {
            guard let gid = UInt32(text) else {
                throw RuntimeError("--additional-gids \(text): not a number of 32 bits")
            }
            exec.additionalGroups.append(gid)
        }
        exec.capabilities = flags.all("cap")
        exec.noNewPrivileges = flags.has("no-new-privs") ? true : nil
        exec.preservedDescriptors = try preserved(flags["preserve-fds"], after: 0)
        exec.ignorePaused = flags.has("ignore-paused")
        exec.cgroups = flags.all("cgroup")
        return exec
    }
}
