import Glibc
import JSON
import Linux
import OCISpec

/// A bundle that was read: its configuration, and the text it was read from.
struct Bundle: Sendable {
    /// Absolute.
    let path: String
    let bytes: [UInt8]
    let spec: Spec

    static let longestConfiguration = 8 << 20

    /// - Parameter path: of the folder; relative to the working directory.
    static func read(_ path: String) throws(RuntimeError) -> Bundle {
        guard let resolved = realpath(path, nil) else { throw RuntimeError("bundle \(path): \(Errno.current)") }
        defer { free(resolved) }
        let absolute = String(cString: resolved)
        return try parse(absolute + "/config.json", bundle: absolute)
    }

    /// Reads a configuration that lies elsewhere (the copy in the state directory).
    static func parse(_ file: String, bundle: String) throws(RuntimeError) -> Bundle {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try File.read(file, limit: longestConfiguration)
        } catch {
            if error.errno == .noEntry { throw RuntimeError("JSON specification file \(file) not found") }
            throw RuntimeError("read the configuration", error)
        }
        do throws(JSONError) {
            return Bundle(path: bundle, bytes: bytes, spec: try Spec.read(bytes, deferringSeccomp: true))
        } catch {
            throw RuntimeError("\(file): \(error)")
        }
    }

    /// The filter to load, compiled or from the cache; nil when the configuration has none.
    func seccomp(cache root: String) throws(RuntimeError) -> BundleFilter? {
        guard let range = spec.linux?.deferredSeccomp else { return nil }
        // "seccomp": null
        if bytes[range].starts(with: Array("null".utf8)) { return nil }
        let program = try SeccompCache(root: root).program(for: bytes[range])
        if !program.usesListener { return BundleFilter(program: program) }
        let section = try SeccompCache.parse(bytes[range])
        return BundleFilter(
            program: program, listenerPath: section.listenerPath ?? "",
            listenerMetadata: section.listenerMetadata ?? "")
    }
}
