import Glibc

/// One command: its flags, then its verb.
enum Commands {
    static func run(_ command: String, _ words: inout Arguments, _ options: GlobalOptions) throws(RuntimeError) -> Int32
    {
        if ["create", "run", "exec"].contains(command) { try ReadOnlySelf.require() }
        switch command {
        case "create": try create(&words, options)
        case "start": try Start.run(try simple(&words, command), root: options.root)
        case "run": return try runContainer(&words, options)
        case "state": try ShowState.run(try simple(&words, command), root: options.root)
        case "kill": try kill(&words, options)
        case "delete": try delete(&words, options)
        case "exec": return try exec(&words, options)
        case "list": try list(&words, options)
        case "ps": try ps(&words, options)
        case "spec": try spec(&words)
        case "features": Features.run()
        case "pause", "resume", "update", "events", "checkpoint", "restore":
            throw RuntimeError("\(command) is not supported yet")
        default: throw RuntimeError("no such command: \(command) (kubesim-oci --help lists them)")
        }
        return 0
    }

    private static func simple(_ words: inout Arguments, _ command: String) throws(RuntimeError) -> ContainerID {
        _ = try words.flags(values: [], switches: [])
        return try words.onlyID(command)
    }

    private static let launchValues = ["b|bundle", "pid-file", "console-socket", "preserve-fds", "pidfd-socket"]
    private static let launchSwitches = ["no-pivot", "no-new-keyring"]

    private static func request(
        _ flags: Arguments.Flags, _ id: ContainerID, _ options: GlobalOptions
    ) throws(RuntimeError) -> LaunchRequest {
        if flags.has("no-pivot") {
            throw RuntimeError("--no-pivot is not supported: it leaves the host's root in reach")
        }
        if flags["pidfd-socket"] != nil { throw RuntimeError("--pidfd-socket is not supported yet") }
        var request = LaunchRequest(id: id, bundle: flags["bundle"] ?? ".", root: options.root, log: options.log)
        request.pidFile = flags["pid-file"]
        request.consoleSocket = flags["console-socket"]
        request.newKeyring = !flags.has("no-new-keyring")
        request.preservedDescriptors = try number(flags["preserve-fds"], "preserve-fds")
        return request
    }

    private static func number(_ text: String?, _ flag: String) throws(RuntimeError) -> Int {
        guard let text else { return 0 }
        guard let number = Int(text), (0...1024).contains(number) else {
            throw RuntimeError("--\(flag) \(text): not a number from 0 to 1024")
        }
        return number
    }

    private static func create(_ words: inout Arguments, _ options: GlobalOptions) throws(RuntimeError) {
        let flags = try words.flags(values: launchValues, switches: launchSwitches)
        try Create.run(try request(flags, try words.onlyID("create"), options))
    }

    private static func runContainer(_ words: inout Arguments, _ options: GlobalOptions) throws(RuntimeError) -> Int32 {
        let flags = try words.flags(
            values: launchValues, switches: launchSwitches + ["d|detach", "keep", "no-subreaper"])
        let request = try request(flags, try words.onlyID("run"), options)
        return try Run.run(request, Run.Options(detach: flags.has("detach"), keep: flags.has("keep")))
    }

    private static func kill(_ words: inout Arguments, _ options: GlobalOptions) throws(RuntimeError) {
        let flags = try words.flags(values: [], switches: ["a|all"])
        let id = try words.nextID("kill")
        let signal = words.next() ?? "TERM"
        try Kill.run(id, root: options.root, signal: signal, all: flags.has("all"))
    }

    private static func delete(_ words: inout Arguments, _ options: GlobalOptions) throws(RuntimeError) {
        let flags = try words.flags(values: [], switches: ["f|force"])
        try Delete.run(try words.onlyID("delete"), root: options.root, force: flags.has("force"), log: options.log)
    }

    private static func list(_ words: inout Arguments, _ options: GlobalOptions) throws(RuntimeError) {
        let flags = try words.flags(values: ["f|format"], switches: ["q|quiet"])
        let format = flags["format"] ?? "table"
        guard format == "table" || format == "json" else { throw RuntimeError("invalid format option") }
        try List.run(
            root: options.root, flags.has("quiet") ? .quiet : format == "json" ? .json : .table, log: options.log)
    }

    private static func ps(_ words: inout Arguments, _ options: GlobalOptions) throws(RuntimeError) {
        let flags = try words.flags(values: ["f|format"], switches: [])
        let format = flags["format"] ?? "table"
        guard format == "table" || format == "json" else { throw RuntimeError("invalid format option") }
        let id = try words.nextID("ps")
        try Ps.run(id, root: options.root, json: format == "json", arguments: words.remaining)
    }

    private static func spec(_ words: inout Arguments) throws(RuntimeError) {
        let flags = try words.flags(values: ["b|bundle"], switches: ["rootless"])
        if flags.has("rootless") { throw RuntimeError("spec --rootless is not supported yet") }
        try WriteSpec.run(bundle: flags["bundle"])
    }

    private static func exec(_ words: inout Arguments, _ options: GlobalOptions) throws(RuntimeError) -> Int32 {
        let flags = try words.flags(
            values: [
                "p|process", "cwd", "e|env", "u|user", "g|additional-gids", "pid-file", "console-socket", "c|cap",
                "preserve-fds", "process-label", "apparmor", "cgroup", "pidfd-socket",
            ],
            switches: ["t|tty", "d|detach", "no-new-privs", "ignore-paused", "no-subreaper"])
        for name in ["process-label", "apparmor", "cgroup", "pidfd-socket"] where flags[name] != nil {
            throw RuntimeError("exec --\(name) is not supported yet")
        }
        let id = try words.nextID("exec")
        var exec = Exec.Options()
        exec.arguments = words.remaining
        exec.processFile = flags["process"]
        exec.pidFile = flags["pid-file"]
        exec.consoleSocket = flags["console-socket"]
        exec.detach = flags.has("detach")
        exec.terminal = flags.has("tty") ? true : nil
        exec.workingDirectory = flags["cwd"]
        exec.environment = flags.all("env")
        exec.user = flags["user"]
        for text in flags.all("additional-gids") {
            guard let gid = UInt32(text) else {
                throw RuntimeError("--additional-gids \(text): not a number of 32 bits")
            }
            exec.additionalGroups.append(gid)
        }
        exec.capabilities = flags.all("cap")
        exec.noNewPrivileges = flags.has("no-new-privs") ? true : nil
        exec.preservedDescriptors = try number(flags["preserve-fds"], "preserve-fds")
        exec.ignorePaused = flags.has("ignore-paused")
        return try Exec.run(id, root: options.root, exec, log: options.log)
    }
}
