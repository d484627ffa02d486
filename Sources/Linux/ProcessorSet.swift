import CLinux
import Glibc

/// Processors (or memory nodes) by number, from the kernel's list form `0-3,7` (cpuset(7), FORMATS).
public struct ProcessorSet: Hashable, Sendable {
    /// Ascending.
    public let numbers: [Int]

    /// Far more than any machine has.
    private static let most = 8192

    /// Nil for anything that isn't such a list, and for an empty one.
    public init?(_ list: String) {
        var found: Set<Int> = []
        for part in list.split(separator: ",", omittingEmptySubsequences: true) {
            let ends = part.filter { $0 != " " && $0 != "\n" }.split(separator: "-", omittingEmptySubsequences: false)
            guard (1...2).contains(ends.count), let first = Int(ends[0]), let last = Int(ends[ends.count - 1]),
                first >= 0, first <= last, last < ProcessorSet.most
            else { return nil }
            found.formUnion(first...last)
        }
        if found.isEmpty { return nil }
        numbers = found.sorted()
    }

    /// A bit each, lowest first, in whole words of 64.
    public var mask: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: ((numbers.last ?? 0) / 64 + 1) * 8)
        for number in numbers { bytes[number / 8] |= 1 << UInt8(number % 8) }
        return bytes
    }

    /// sched_setaffinity(2) of the calling thread.
    public func bindThread() throws(SystemError) {
        let mask = self.mask
        try check(sys_sched_setaffinity(0, mask, mask.count), "sched_setaffinity")
    }

    /// Lets the calling thread run wherever its cpuset allows.
    public static func unbindThread() throws(SystemError) {
        let mask = [UInt8](repeating: 0xFF, count: 1024)
        try check(sys_sched_setaffinity(0, mask, mask.count), "sched_setaffinity")
    }
}
