extension CommandSyntax {
    /// Every command with its summary, as `--help` lists them.
    static let names = [
        "checkpoint", "create", "delete", "events", "exec", "features", "kill", "list", "pause", "ps", "restore",
        "resume", "run", "spec", "start", "state", "update",
    ]

    /// Only the one that was asked for is built.
    static func of(_ command: String) -> CommandSyntax? {
        switch command {
        case "create": CommandSyntax("create", "create a container, ready to be started", launch)
        case "run": CommandSyntax("run", "create and start a container", launch + runOnly)
        case "start": CommandSyntax("start", "start the program of a created container")
        case "state": CommandSyntax("state", "show the state of a container")
        case "pause": CommandSyntax("pause", "stop all processes of a container until it is resumed")
        case "resume": CommandSyntax("resume", "let the processes of a paused container go on")
        case "features": CommandSyntax("features", "show what this runtime can do", arguments: "", fewest: 0, most: 0)
        case "kill":
            CommandSyntax(
                "kill", "send a signal (SIGTERM unless another is named) to a container's first process",
                arguments: "<container-id> [signal]", most: 2,
                [.on("all", short: "a", "signal every process of the container")])
        case "delete":
            CommandSyntax(
                "delete", "take away what is left of a container",
                [.on("force", short: "f", "kill it first if it runs; not an error if there is none")])
        case "list":
            CommandSyntax(
                "list", "list the containers below --root", arguments: "", fewest: 0, most: 0,
                [format, .on("quiet", short: "q", "only the ids")])
        case "ps":
            CommandSyntax(
                "ps", "show the processes of a container", arguments: "<container-id> [ps options]", most: nil, [format]
            )
        case "spec":
            CommandSyntax(
                "spec", "write a configuration to start from", arguments: "", fewest: 0, most: 0,
                [bundle, .on("rootless", "one for users without rights of root")])
        case "events":
            CommandSyntax(
                "events", "show a container's statistics, and when it runs out of memory, as JSON lines",
                [
                    .value("interval", "DURATION", "between two statistics, like 5s or 500ms (default: 5s)"),
                    .on("stats", "show the statistics once and end"),
                ])
        case "exec": exec
        case "update": update
        case "checkpoint": checkpoint
        case "restore": restore
        default: nil
        }
    }

    static let globalFlags: [Flag] = [
        .on("debug", "log what is planned and done"),
        .value("log", "FILE", "where the log goes (default: standard error)"),
        .value("log-format", "FORMAT", "text or json (default: text)"),
        .value("root", "DIR", "where containers' state lies"),
        .on("systemd-cgroup", "systemd makes the cgroups; cgroupsPath is \"slice:prefix:name\""),
        .value("rootless", "true|false|auto", "go on where cgroups can't be changed (default: auto)"),
        .on("help", short: "h", "show help"),
        .on("version", short: "v", "show the version"),
    ]

    private static let bundle = Flag.value("bundle", "DIR", short: "b", "the bundle's folder (default: this one)")
    private static let format = Flag.value("format", "FORMAT", short: "f", "table or json (default: table)")
    private static let consoleSocket = Flag.value(
        "console-socket", "SOCKET", "Unix socket that receives the terminal's master end")
    private static let pidfdSocket = Flag.value(
        "pidfd-socket", "SOCKET", "Unix socket that receives a descriptor of the process")
    private static let pidFile = Flag.value("pid-file", "FILE", "where the process id is written")
    private static let detach = Flag.on("detach", short: "d", "don't wait for the process")
    private static let noSubreaper = Flag.on("no-subreaper", "accepted: this runtime never is a subreaper")
    private static let noPivot = Flag.on(
        "no-pivot", "move the root instead of pivot_root, for hosts that run from an initramfs (less safe)")
    private static let preserveFds = Flag.value(
        "preserve-fds", "N", "how many descriptors after the standard three (and $LISTEN_FDS) the program keeps")

    private static let launch = [
        bundle, consoleSocket, pidfdSocket, pidFile, noPivot,
        .on("no-new-keyring", "keep the caller's session keyring"), preserveFds,
    ]
    private static let runOnly = [
        detach, .on("keep", "leave the container there when it has ended"), noSubreaper,
    ]

    private static let exec = CommandSyntax(
        "exec", "run one more process in a container",
        arguments: "<container-id> <command> [arguments], or --process FILE <container-id>", most: nil,
        [
            consoleSocket, pidfdSocket, .value("cwd", "DIR", "the working directory inside the container"),
            .value("env", "NAME=VALUE", short: "e", "a variable; may be given again"),
            .on("tty", short: "t", "with a terminal"), .value("user", "UID[:GID]", short: "u", "who it runs as"),
            .value("additional-gids", "GID", short: "g", "a further group; may be given again"),
            .value("process", "FILE", short: "p", "the whole process as JSON"), detach, pidFile,
            .value("process-label", "LABEL", "SELinux label"), .value("apparmor", "PROFILE", "AppArmor profile"),
            .on("no-new-privs", "execve gives no new rights"),
            .value("cap", "CAPABILITY", short: "c", "a further capability; may be given again"), preserveFds,
            .value("cgroup", "[CONTROLLER:]PATH", "run it in a cgroup below the container's; may be given again"),
            .on("ignore-paused", "also in a paused container"), noSubreaper,
        ])

    private static let update = CommandSyntax(
        "update", "change a container's limits",
        [
            .value(
                "resources", "FILE", short: "r", "linux.resources as JSON, - is standard input; other flags don't count"
            ),
            .value("blkio-weight", "N", "weight of block input and output, 10 to 1000"),
            .value("cpu-period", "MICROSECONDS", "period of the CPU quota"),
            .value("cpu-quota", "MICROSECONDS", "CPU time in a period"),
            .value("cpu-burst", "MICROSECONDS", "CPU time that may be saved up"),
            .value("cpu-share", "N", "share of CPU time, 1024 is usual"),
            .value("cpu-rt-period", "MICROSECONDS", "period of the real-time quota"),
            .value("cpu-rt-runtime", "MICROSECONDS", "real-time CPU time in a period"),
            .value("cpuset-cpus", "LIST", "processors, like 0-3,7"),
            .value("cpuset-mems", "LIST", "memory nodes"),
            .value("cpu-idle", "0|1", "1 runs only when nobody else does"),
            .value("memory", "BYTES", "memory; k, m, g are taken; -1 is no limit"),
            .value("memory-reservation", "BYTES", "soft limit of memory"),
            .value("memory-swap", "BYTES", "memory and swap together, -1 is no limit"),
            .value("kernel-memory", "BYTES", "passed over with a warning"),
            .value("kernel-memory-tcp", "BYTES", "passed over with a warning"),
            .value("pids-limit", "N", "tasks, -1 is no limit"),
            .value("l3-cache-schema", "SCHEMA", "L3 cache (Intel RDT)"),
            .value("mem-bw-schema", "SCHEMA", "memory bandwidth (Intel RDT)"),
        ])

    private static let checkpointCommon: [Flag] = [
        .value("image-path", "DIR", "where the checkpoint is (default: checkpoint)"),
        .value("work-path", "DIR", "where criu's logs go (default: the state folder)"),
        .on("tcp-established", "with open TCP connections"), .on("ext-unix-sk", "with Unix sockets to the outside"),
        .on("shell-job", "with a terminal of the caller's"), .on("file-locks", "with file locks"),
        .value("manage-cgroups-mode", "MODE", "soft, full, strict or ignore (default: soft)"),
        .value("empty-ns", "KIND", "make a namespace without its content (network); may be given again"),
        .on("auto-dedup", "drop memory pages that are there already"),
        .on("lazy-pages", "memory pages follow when they are needed"),
    ]

    private static let checkpoint = CommandSyntax(
        "checkpoint", "write a container's processes to files, by criu",
        checkpointCommon + [
            .value("parent-path", "DIR", "earlier images of a pre-dump, relative to --image-path"),
            .on("leave-running", "don't end the container"),
            .on("tcp-skip-in-flight", "leave out TCP connections that aren't open yet"),
            .on("link-remap", "give files without names one again"),
            .value("status-fd", "N", "criu writes \\0 there once lazy pages can be had"),
            .value("page-server", "ADDRESS:PORT", "where the memory pages go"),
            .on("pre-dump", "only memory pages; the container goes on"),
        ])

    private static let restore = CommandSyntax(
        "restore", "make a container from a checkpoint, by criu",
        checkpointCommon + [
            bundle, consoleSocket, detach, pidFile, noSubreaper, noPivot,
            .value("lsm-profile", "TYPE:NAME", "security profile of the restored processes"),
            .value("lsm-mount-context", "CONTEXT", "security context of the restored mounts"),
        ])
}
