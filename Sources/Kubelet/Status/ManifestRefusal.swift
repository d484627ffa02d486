/// A manifest that was not taken, or only in part, and every reason why.
public struct ManifestRefusal: Sendable, Hashable {
    /// Absolute path of the file.
    public var file: String
    /// One line a reason, "line: reason" where a line is known.
    public var reasons: [String]

    public init(file: String, reasons: [String]) {
        self.file = file
        self.reasons = reasons
    }
}
