import Glibc
import KubeTypes
import Linux

/// One file of the manifest directory as it was read.
struct ManifestFile: Sendable, Hashable {
    /// Absolute path.
    var path: String
    var pods: [ParsedPod] = []
    /// Why it is refused; empty: it is not.
    var reasons: [String] = []

    /// A file that isn't ours to read: hidden, or what an editor leaves beside the one it writes.
    static func isIgnored(_ name: String) -> Bool {
        name.hasPrefix(".") || name.hasSuffix("~") || (name.hasPrefix("#") && name.hasSuffix("#"))
    }

    /// Reads and parses; nil when it is a directory or is gone. Never waits: a FIFO or a device is refused.
    ///
    /// A file is taken whole or not at all: one bad document refuses the others too, so that half an application never
    /// runs.
    static func read(_ path: String) -> ManifestFile? {
        var file = ManifestFile(path: path)
        let limit = ManifestLimits().bytes
        do {
            let descriptor = try File.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
            let status = try descriptor.status()
            if status.isDirectory { return nil }
            guard status.isRegular else {
                file.reasons = ["is no regular file"]
                return file
            }
            guard status.size <= UInt64(limit) else {
                file.reasons = ["has \(status.size) bytes; a manifest may have \(limit)"]
                return file
            }
            file.parse(try descriptor.readAll(limit: limit))
        } catch {
            if error.errno == .noEntry { return nil }
            file.reasons = ["can't be read: \(error.errno)"]
        }
        return file
    }

    mutating func parse(_ bytes: [UInt8]) {
        for result in PodDocument.read(bytes, file: path) {
            switch result {
            case .success(let parsed): pods.append(parsed)
            case .failure(let error):
                reasons += error.violations.map(\.description)
            }
        }
        if pods.isEmpty && reasons.isEmpty { reasons = ["holds no pod"] }
        if !reasons.isEmpty { pods = [] }
    }
}
