/// Counts what was read and tells of it, not oftener than is worth while.
final class ProgressMeter {
    private var state: ImageProgress
    private var reported: UInt64 = 0
    private let cancellation: ImportCancellation
    private let report: @Sendable (ImageProgress) -> Void

    init(
        total: UInt64, layers: Int, _ cancellation: ImportCancellation,
        report: @escaping @Sendable (ImageProgress) -> Void
    ) {
        state = ImageProgress(stage: layers > 0 ? .unpacking : .reading, layers: layers, totalBytes: total)
        self.cancellation = cancellation
        self.report = report
    }

    func beginLayer() {
        state.layer += 1
        report(state)
    }

    func read(_ count: UInt64) throws(ImportFailure) {
        try cancellation.check()
        state.bytes += count
        guard state.bytes - reported >= 4 << 20 else { return }
        reported = state.bytes
        report(state)
    }
}
