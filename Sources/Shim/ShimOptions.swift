import ShimProtocol

/// What `kubesim-shim start` was asked to do.
struct ShimOptions {
    var sandbox: String
    var directory: String
    var runtime: String
    var runtimeRoot: String
    var networkNamespace: String?
    var userNamespace: UserNamespace?
    /// The runtime asks systemd for its cgroups.
    var systemdCgroup = false

    static let usage = """
        kubesim-shim: keeps a pod's processes, their output and how they ended

        kubesim-shim start --id SANDBOX --dir DIR --runtime PATH --runtime-root DIR [--netns PATH]
                           [--userns PATH --uid-map MAP --gid-map MAP] [--cgroups DRIVER]
            --id            the sandbox's id
            --dir           its private directory (0700), for the socket and the exit records
            --runtime       the OCI runtime to drive (kubesim-oci, runc, crun)
            --runtime-root  the runtime's --root
            --netns         make a network namespace and mount it there
            --userns        make a user namespace, which owns the network one, and mount it there
            --uid-map, --gid-map  its ids, as inside:outside:count,…
            --cgroups       cgroupfs (the default), or systemd: the runtime is called with --systemd-cgroup
        kubesim-shim connect --port PORT [--netns PATH]
            connects to a port on a pod's loopback device, for the agent, which listens on descriptor 3
        kubesim-shim version

        """

    /// Reads the arguments after the verb `start`.
    init(_ arguments: some Sequence<String>) throws(ShimFailure) {
        var values: [String: String] = [:]
        var rest = arguments.makeIterator()
        while let argument = rest.next() {
            guard argument.hasPrefix("--") else { throw ShimFailure(.invalid, "'\(argument)' is no option") }
            var name = argument
            var value: String?
            if let equals = argument.firstIndex(of: "=") {
                name = String(argument[..<equals])
                value = String(argument[argument.index(after: equals)...])
            }
            guard Self.names.contains(name) else { throw ShimFailure(.invalid, "unknown option \(name)") }
            guard let value = value ?? rest.next(), !value.isEmpty else {
                throw ShimFailure(.invalid, "\(name) needs a value")
            }
            values[name] = value
        }
        func required(_ name: String) throws(ShimFailure) -> String {
            guard let value = values[name] else { throw ShimFailure(.invalid, "\(name) is missing") }
            return value
        }
        sandbox = try required("--id")
        directory = try Self.absolute(required("--dir"), "--dir")
        runtime = try Self.absolute(required("--runtime"), "--runtime")
        runtimeRoot = try Self.absolute(required("--runtime-root"), "--runtime-root")
        networkNamespace = try values["--netns"].map { value throws(ShimFailure) in try Self.absolute(value, "--netns")
        }
        if let path = values["--userns"] {
            userNamespace = UserNamespace(
                path: try Self.absolute(path, "--userns"), uids: try Self.mapping(required("--uid-map"), "--uid-map"),
                gids: try Self.mapping(required("--gid-map"), "--gid-map"))
        }
        switch values["--cgroups"] {
        case nil, "cgroupfs": break
        case "systemd": systemdCgroup = true
        case let other?: throw ShimFailure(.invalid, "--cgroups '\(other)' is neither cgroupfs nor systemd")
        }
        guard ShimLimits.isValidID(sandbox) else {
            throw ShimFailure(.invalid, "--id '\(sandbox)' may hold letters, digits and _.+- only, 128 at most")
        }
    }

    private static let names: Set<String> = [
        "--id", "--dir", "--runtime", "--runtime-root", "--netns", "--userns", "--uid-map", "--gid-map", "--cgroups",
    ]

    /// `0:100000:65536,…` in the kernel's lines; it takes 340 at most (user_namespaces(7)).
    private static func mapping(_ text: String, _ option: String) throws(ShimFailure) -> String {
        var lines = ""
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        for part in parts {
            let numbers = part.split(separator: ":", omittingEmptySubsequences: false).map { UInt32($0) }
            guard numbers.count == 3, parts.count <= 340, let inside = numbers[0], let outside = numbers[1],
                let count = numbers[2], count > 0
            else { throw ShimFailure(.invalid, "\(option) '\(text.prefix(200))' is not inside:outside:count,…") }
            lines += "\(inside) \(outside) \(count)\n"
        }
        return lines
    }

    /// The shim lives in `/`, so that relative paths would lose their meaning.
    private static func absolute(_ path: String, _ option: String) throws(ShimFailure) -> String {
        guard path.hasPrefix("/") else { throw ShimFailure(.invalid, "\(option) '\(path)' is not absolute") }
        return path
    }
}
