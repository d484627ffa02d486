import JSON

/// One run of a plugin, decided before it happens: what it gets on standard input and in its environment (CNI 1.1.0,
/// sections 2 to 4).
struct Invocation: Sendable, Hashable {
    enum Verb: String, Sendable {
        case add = "ADD"
        case del = "DEL"
        case check = "CHECK"
        case collectGarbage = "GC"
        case status = "STATUS"
        case version = "VERSION"
    }

    /// The program's name.
    var plugin: String
    /// The network's name.
    var network: String
    /// The pod that it is about, as `namespace/name`; empty if it is about none.
    var pod: String
    var verb: Verb
    /// The plugin's request configuration.
    var config: JSONValue
    /// `CNI_…` variables.
    var environment: [String: String]

    /// ADD, DEL or CHECK of a sandbox.
    ///
    /// - Parameters:
    ///   - netns: empty when it is gone, which only DEL may be told.
    ///   - previous: the result that the plugin builds on (ADD), or the network's last one (DEL, CHECK).
    init(
        _ verb: Verb, plugin: JSONValue, of list: NetworkList, for arguments: PluginArguments, netns: String,
        previous: JSONValue?, binDirs: [String]
    ) {
        self.init(verb, plugin: plugin, of: list, binDirs: binDirs)
        pod = arguments.pod
        config["prevResult"] = verb == .del && list.version < .check ? nil : previous
        config["runtimeConfig"] = arguments.runtimeConfig(for: plugin)
        environment["CNI_CONTAINERID"] = arguments.sandbox
        environment["CNI_NETNS"] = netns
        environment["CNI_IFNAME"] = arguments.interface
        environment["CNI_ARGS"] = arguments.text
    }

    /// What concerns a network and no sandbox: GC, STATUS.
    init(_ verb: Verb, plugin: JSONValue, of list: NetworkList, binDirs: [String]) {
        self.verb = verb
        self.plugin = plugin["type"]?.stringValue ?? ""
        network = list.name
        pod = ""
        config = plugin
        config["cniVersion"] = .string(list.version.text)
        config["name"] = .string(list.name)
        config["capabilities"] = nil
        for key in config.objectValue?.keys ?? [] where key.hasPrefix("cni.dev/") { config[key] = nil }
        environment = ["CNI_COMMAND": verb.rawValue, "CNI_PATH": binDirs.joined(separator: ":")]
    }

    /// GC: whatever belongs to an attachment that isn't in `valid` may go.
    static func collectGarbage(
        plugin: JSONValue, of list: NetworkList, valid: [PluginArguments], binDirs: [String]
    ) -> Invocation {
        var invocation = Invocation(.collectGarbage, plugin: plugin, of: list, binDirs: binDirs)
        let attachments = JSONValue.array(
            valid.map { ["containerID": .string($0.sandbox), "ifname": .string($0.interface)] })
        invocation.config["cni.dev/valid-attachments"] = attachments
        // The name that the first plugins of 1.1.0 looked for.
        invocation.config["cni.dev/attachments"] = attachments
        return invocation
    }

    /// VERSION: which versions of the specification a program speaks.
    static func version(plugin: String, binDirs: [String]) -> Invocation {
        var invocation = Invocation(.version, plugin: plugin, binDirs: binDirs)
        invocation.config = ["cniVersion": .string(SpecVersion.garbageCollection.text)]
        return invocation
    }

    private init(_ verb: Verb, plugin: String, binDirs: [String]) {
        self.verb = verb
        self.plugin = plugin
        (network, pod, config) = ("", "", [:])
        // The library's own answer needs none of these; plugins in scripts look for them all the same.
        environment = ["CNI_COMMAND": verb.rawValue, "CNI_PATH": binDirs.joined(separator: ":")]
    }
}
