/// Where a container's output is kept: a file below a directory that the shim holds open.
public struct LogPlace: Sendable, Hashable {
    /// The pod's log directory, absolute; made (0755) when missing. Its last component may not be a symbolic link.
    public var directory: String
    /// The file below it, as `web/0.log`; missing directories are made, symbolic links on the way are refused.
    public var path: String
    /// How much is kept; nil keeps all.
    public var limit: LogLimit?

    public init(directory: String, path: String, limit: LogLimit? = nil) {
        self.directory = directory
        self.path = path
        self.limit = limit
    }
}

/// How much of a container's output is kept: the file that is written and the older ones together never hold more than
/// `fileBytes * files`.
public struct LogLimit: Sendable, Hashable {
    /// Two of the longest lines fit: a line is never lost for being too long.
    public static let leastFileBytes: Int64 = 32 << 10
    /// The file that is written, and one older one.
    public static let leastFiles = 2
    public static let mostFiles = 1000

    /// Bytes that a file has at most; never less than ``leastFileBytes``.
    public let fileBytes: Int64
    /// How many files there are at most, the one that is written among them.
    public let files: Int

    /// Nil when it is outside the bounds above.
    public init?(fileBytes: Int64, files: Int) {
        guard fileBytes >= Self.leastFileBytes, (Self.leastFiles...Self.mostFiles).contains(files),
            !fileBytes.multipliedReportingOverflow(by: Int64(files)).overflow
        else { return nil }
        self.fileBytes = fileBytes
        self.files = files
    }
}
