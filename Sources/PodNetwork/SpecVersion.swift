/// A version of the CNI specification.
struct SpecVersion: Sendable, Hashable, Comparable {
    var major: Int
    var minor: Int
    var patch: Int

    /// Those whose results are understood here, oldest first.
    static let known: [SpecVersion] = [
        SpecVersion(0, 1, 0), SpecVersion(0, 2, 0), SpecVersion(0, 3, 0), SpecVersion(0, 3, 1), SpecVersion(0, 4, 0),
        SpecVersion(1, 0, 0), SpecVersion(1, 1, 0),
    ]
    /// Brought CHECK, and the last result with DEL.
    static let check = SpecVersion(0, 4, 0)
    /// Brought GC and STATUS.
    static let garbageCollection = SpecVersion(1, 1, 0)

    init(_ major: Int, _ minor: Int, _ patch: Int) {
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    /// nil for what isn't three numbers with dots between them.
    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { part in part.utf8.first == UInt8(ascii: "+") ? nil : UInt16(part).map(Int.init)
        }
        guard parts.count == 3, numbers.count == 3 else { return nil }
        self.init(numbers[0], numbers[1], numbers[2])
    }

    static func < (left: SpecVersion, right: SpecVersion) -> Bool {
        (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }

    var text: String { "\(major).\(minor).\(patch)" }
}
