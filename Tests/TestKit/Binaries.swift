import FoundationEssentials

/// Where the programs under test are: `$KUBESIM_BIN`, or `bin` beside Package.swift, which `make build` fills.
public enum Binaries {
    /// The repository's root, found from this source file.
    public static let repository: String = {
        var url = URL(filePath: #filePath)
        for _ in 0..<3 { url.deleteLastPathComponent() }
        return String(url.path.dropLast(url.path.hasSuffix("/") ? 1 : 0))
    }()

    /// The path of one of our programs.
    public static func path(_ name: String) -> String {
        (ProcessInfo.processInfo.environment["KUBESIM_BIN"] ?? repository + "/bin") + "/" + name
    }
}
