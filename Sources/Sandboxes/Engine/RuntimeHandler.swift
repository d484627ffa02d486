/// An OCI runtime that pods ask for by its handler's name (`runtime_handler`, a RuntimeClass of Kubernetes).
public struct RuntimeHandler: Sendable, Equatable {
    /// The program: kubesim-oci, runc, crun, or another that takes their command line.
    public var path: String
    /// Annotations of pods that go into the specs of the pod and its containers: names, or beginnings that end in `*`.
    public var podAnnotations: [String]
    /// The same for annotations of containers.
    public var containerAnnotations: [String]

    public init(path: String, podAnnotations: [String] = [], containerAnnotations: [String] = []) {
        self.path = path
        self.podAnnotations = podAnnotations
        self.containerAnnotations = containerAnnotations
    }

    /// Those of `annotations` that `patterns` name.
    static func passed(_ annotations: [String: String], through patterns: [String]) -> [String: String] {
        annotations.filter { annotation in
            patterns.contains { pattern in
                pattern.hasSuffix("*")
                    ? annotation.key.hasPrefix(pattern.dropLast()) : annotation.key == pattern
            }
        }
    }
}

/// Who writes the cgroups of pods and containers.
public enum CgroupDriver: String, Sendable, CaseIterable {
    /// The OCI runtime, into the cgroup filesystem.
    case cgroupfs
    /// systemd, which the OCI runtime asks for a scope below the pod's slice.
    case systemd
}
