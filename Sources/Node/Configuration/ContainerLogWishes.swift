import KubeTypes
import ShimProtocol

/// How much of its output a container's log keeps, in the words of kubelet's configuration.
public struct ContainerLogWishes: Sendable, Equatable {
    /// A quantity, as `10Mi`: the most that one file holds. A negative one keeps everything.
    public var maxSize: String?
    /// How many files there are at most, the one that is written among them.
    public var maxFiles: String?

    static let standardMaxSize = "10Mi"
    static let standardMaxFiles = "5"

    /// These wishes, and the other's where these are silent.
    func over(_ other: ContainerLogWishes) -> ContainerLogWishes {
        ContainerLogWishes(maxSize: maxSize ?? other.maxSize, maxFiles: maxFiles ?? other.maxFiles)
    }

    /// Nil keeps everything.
    func limit() throws(NodeError) -> LogLimit? {
        let size = maxSize ?? Self.standardMaxSize
        let files = maxFiles ?? Self.standardMaxFiles
        let bytes: Int64
        do { bytes = try Quantity(parsing: size).value } catch {
            throw NodeError("containerLogMaxSize: \"\(size)\" is no size like \(Self.standardMaxSize): \(error)")
        }
        if bytes < 0 { return nil }
        guard let count = Int(files), let limit = LogLimit(fileBytes: bytes, files: count) else {
            throw NodeError(
                "containerLogMaxSize \(size) and containerLogMaxFiles \(files): a file has at least"
                    + " \(LogLimit.leastFileBytes >> 10)Ki, and there are \(LogLimit.leastFiles) to \(LogLimit.mostFiles)"
            )
        }
        return limit
    }
}
