import CLinux
import Synchronization

/// What is left of a tarball's allowance: all its layers draw on the same one, from whichever thread they are read.
final class UnpackBudget: Sendable {
    private let limits: ImageLimits
    private let tarballBytes: UInt64
    private let used = Mutex<UInt64>(0)

    init(_ limits: ImageLimits, tarballBytes: UInt64) {
        self.limits = limits
        self.tarballBytes = tarballBytes
    }

    /// Takes `count` decompressed bytes out of the allowance.
    func spend(_ count: UInt64) throws(ImportFailure) {
        let total = used.withLock { used in
            used = used.addingReportingOverflow(count).overflow ? .max : used + count
            return used
        }
        if total > limits.unpackedBytes {
            throw .refused(entry: nil, reason: "unpacks to more than \(limits.unpackedBytes) bytes")
        }
        let allowed = tarballBytes.multipliedReportingOverflow(by: limits.ratio)
        if total > limits.ratioFloorBytes && !allowed.overflow && total > allowed.partialValue {
            throw .refused(
                entry: nil,
                reason: "unpacks to more than \(limits.ratio) times the \(tarballBytes) bytes of the tarball: a bomb")
        }
    }
}

/// Counts what comes out of a decompressor against the tarball's allowance.
final class BudgetedSource: ByteSource {
    private let source: any ByteSource
    private let budget: UnpackBudget

    init(_ source: any ByteSource, _ budget: UnpackBudget) {
        self.source = source
        self.budget = budget
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ImportFailure) -> Int {
        let count = try source.read(into: buffer)
        try budget.spend(UInt64(count))
        return count
    }
}
