import JSON

/// The configuration of a container: what `config.json` of a bundle holds (runtime-spec 1.3, config.md).
public struct Spec: Sendable, Hashable {
    /// The version of the specification that this code follows.
    public static let version = "1.3.0"

    /// The version of the specification that the bundle follows (SemVer 2).
    public var ociVersion: String
    /// The process to start; may be missing for a container that is only created.
    public var process: Process?
    /// The root filesystem.
    public var root: Root?
    /// The name seen in the container's UTS namespace.
    public var hostname: String?
    /// The NIS domain name seen in the container's UTS namespace.
    public var domainname: String?
    /// Mounts besides the root, in the order in which they are made.
    public var mounts: [Mount]
    /// Commands run around the container's life.
    public var hooks: Hooks?
    /// Arbitrary metadata.
    public var annotations: [String: String]
    /// What only Linux has.
    public var linux: LinuxSection?

    public init(
        ociVersion: String = Spec.version,
        process: Process? = nil,
        root: Root? = nil,
        hostname: String? = nil,
        domainname: String? = nil,
        mounts: [Mount] = [],
        hooks: Hooks? = nil,
        annotations: [String: String] = [:],
        linux: LinuxSection? = nil
    ) {
        self.ociVersion = ociVersion
        self.process = process
        self.root = root
        self.hostname = hostname
        self.domainname = domainname
        self.mounts = mounts
        self.hooks = hooks
        self.annotations = annotations
        self.linux = linux
    }
}

extension Spec: JSONReadable, JSONWritable {
    public init(from reader: inout JSONReader) throws(JSONError) {
        try self.init(from: &reader, deferringSeccomp: false)
    }

    /// Reads a whole `config.json`.
    ///
    /// - Parameter deferringSeccomp: passes over the system call filter, which is most of a usual text, and only notes
    ///   where it stands (`linux.deferredSeccomp`), for callers that have it compiled in a cache or don't need it.
    public static func read(_ bytes: [UInt8], deferringSeccomp: Bool) throws(JSONError) -> Spec {
        var reader = try JSONReader(bytes)
        let spec = try Spec(from: &reader, deferringSeccomp: deferringSeccomp)
        try reader.finish()
        return spec
    }

    init(from reader: inout JSONReader, deferringSeccomp: Bool) throws(JSONError) {
        self.init(ociVersion: "")
        try reader.readObject { (reader, key) throws(JSONError) in
            switch key {
            case "ociVersion": ociVersion = try reader.read()
            case "process": process = try reader.read()
            case "root": root = try reader.read()
            case "hostname": hostname = try reader.read()
            case "domainname": domainname = try reader.read()
            case "mounts": mounts = try reader.read()
            case "hooks": hooks = try reader.read()
            case "annotations": annotations = try reader.read()
            case "linux": linux = try LinuxSection(from: &reader, deferringSeccomp: deferringSeccomp)
            default: try reader.skipValue()
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("ociVersion", ociVersion)
            writer.member("process", process)
            writer.member("root", root)
            writer.member("hostname", hostname)
            writer.member("domainname", domainname)
            writer.member("mounts", mounts)
            writer.member("hooks", hooks)
            writer.member("annotations", annotations)
            writer.member("linux", linux)
        }
    }
}
