import JSON
import Linux

/// The ranges that a cluster has given this node (CRI UpdateRuntimeConfig), kept for the node's next life: nobody says them
/// again then. They count as long as the node's own configuration is what it was.
enum GivenRanges {
    private static func path(_ configuration: NetworkConfiguration) -> String { configuration.cacheDir + "/.pod-cidr" }

    /// nil when there are none, or they can't be read.
    static func read(_ configuration: NetworkConfiguration) -> String? {
        guard let bytes = try? File.read(path(configuration), limit: 4096), let value = try? JSONValue.parse(bytes),
            value["configured"]?.stringValue == configuration.podCIDR, let given = value["given"]?.stringValue,
            Subnet.list(given) != nil
        else { return nil }
        return given
    }

    static func write(_ given: String, _ configuration: NetworkConfiguration) throws(SystemError) {
        try Directory.make(configuration.cacheDir, mode: 0o700)
        let value: JSONValue = ["configured": .string(configuration.podCIDR), "given": .string(given)]
        try AtomicFile.write(path(configuration), value.encoded(pretty: false), sync: true)
    }

    static func remove(_ configuration: NetworkConfiguration) throws(SystemError) {
        try File.remove(path(configuration))
    }
}
