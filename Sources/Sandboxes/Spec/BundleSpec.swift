import JSON
import Linux
import OCISpec

/// Reads back the spec of a bundle that the engine wrote.
enum BundleSpec {
    /// As a tree; nil when there is none that can be read.
    static func value(_ bundle: String) -> JSONValue? {
        guard let bytes = try? File.read(bundle + "/config.json", limit: 16 << 20) else { return nil }
        return try? JSONValue.parse(bytes)
    }

    /// The section that execs start from.
    static func process(_ bundle: String) throws -> OCISpec.Process? {
        let bytes = try File.read(bundle + "/config.json", limit: 16 << 20)
        return try Spec.read(bytes, deferringSeccomp: true).process
    }
}
