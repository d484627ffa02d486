/// A pod as a manifest asked for it: valid, with every default filled in.
public struct ParsedPod: Sendable, Hashable {
    /// The pod.
    public let pod: Pod
    /// The file, as the caller named it.
    public let file: String
    /// Where its document starts in the file.
    public let line: Int
    /// What was asked, as JSON with sorted keys and without comments or layout: equal for two manifests exactly when
    /// they ask for the same, also in fields that are not done yet. To be hashed, for the static pod's uid.
    public let content: String
    /// Fields that were set, are valid Kubernetes, and that this kubelet doesn't do yet.
    public let notDone: [FieldPath]
    /// What is allowed but probably not meant, as the API server's warnings.
    public let warnings: [String]

    /// The parts as they are.
    public init(
        pod: Pod, file: String = "", line: Int = 1, content: String = "", notDone: [FieldPath] = [],
        warnings: [String] = []
    ) {
        self.pod = pod
        self.file = file
        self.line = line
        self.content = content
        self.notDone = notDone
        self.warnings = warnings
    }
}
