import ArgumentParser

/// The version of the three programs, which are built and installed together.
public enum KubesimVersion {
    public static let text = "0.1.0"
    /// The Kubernetes release whose API and CRI are followed.
    public static let kubernetes = "v1.36"
}

/// `kubesim version`
public struct VersionCommand: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the version of kubesim.")

    @Option(name: [.customShort("o"), .customLong("output")], help: "json or yaml.")
    var output: VersionFormat = .text

    public init() {}

    public func run() {
        let facts = [
            ("version", KubesimVersion.text), ("kubernetes", KubesimVersion.kubernetes), ("cri", "runtime.v1"),
            ("oci", "1.3.0"),
        ]
        switch output {
        case .text: print("kubesim \(KubesimVersion.text) (Kubernetes \(KubesimVersion.kubernetes), CRI runtime.v1)")
        case .json: print("{" + facts.map { "\"\($0.0)\":\"\($0.1)\"" }.joined(separator: ",") + "}")
        case .yaml: for (key, value) in facts { print("\(key): \(value)") }
        }
    }
}

enum VersionFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json, yaml
}
