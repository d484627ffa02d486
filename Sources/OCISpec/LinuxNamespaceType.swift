import JSON

/// The kinds of Linux namespaces; one that the specification doesn't know is kept as it stands, for validation to name.
public struct LinuxNamespaceType: RawRepresentable, Sendable, Hashable {
    /// The word of the specification.
    public var rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    public static let pid = LinuxNamespaceType(rawValue: "pid")
    public static let network = LinuxNamespaceType(rawValue: "network")
    public static let mount = LinuxNamespaceType(rawValue: "mount")
    public static let ipc = LinuxNamespaceType(rawValue: "ipc")
    public static let uts = LinuxNamespaceType(rawValue: "uts")
    public static let user = LinuxNamespaceType(rawValue: "user")
    public static let cgroup = LinuxNamespaceType(rawValue: "cgroup")
    public static let time = LinuxNamespaceType(rawValue: "time")

    /// Every kind of runtime-spec 1.3.
    public static let all: [LinuxNamespaceType] = [.pid, .network, .mount, .ipc, .uts, .user, .cgroup, .time]
}

extension LinuxNamespaceType: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) { rawValue = try reader.readString() }
    public func write(to writer: inout JSONWriter) { writer.value(rawValue) }
}
