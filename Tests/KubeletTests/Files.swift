import FoundationEssentials
import Glibc
import TestKit

/// What tests do to files.
enum Files {
    static func rename(_ from: String, _ to: String) throws {
        guard Glibc.rename(from, to) == 0 else { throw POSIXFailure("rename", from) }
    }

    static func remove(_ path: String) throws {
        guard unlink(path) == 0 else { throw POSIXFailure("unlink", path) }
    }

    static func read(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }

    static func names(_ path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()  // none is an empty list
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
}
