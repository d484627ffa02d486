import Glibc

/// One layer on its way from the tarball: decompressed, hashed and unpacked in one pass.
final class LayerReading {
    let compression: Compression
    private let layer: ImagePlan.Layer
    private let limits: ImageLimits
    private let blob: HashingSource
    /// The uncompressed layer; nil when the layer is not compressed, and one digest does for both.
    private let diff: HashingSource?
    private let source: BudgetedSource
    /// What runs on the other core: reading, the blob's digest, and decompression.
    private let ahead: ReadAhead

    init(
        _ layer: ImagePlan.Layer, _ contents: TarballContents, _ budget: UnpackBudget, _ limits: ImageLimits,
        _ meter: ProgressMeter
    ) throws(ImportFailure) {
        self.layer = layer
        self.limits = limits
        let part = layer.part
        compression = try contents.file.compression(at: part.offset, length: part.length, path: contents.path)
        blob = HashingSource(
            FileWindow(
                contents.file, path: contents.path, offset: part.offset, length: part.length, progress: meter.read))
        switch compression {
        case .none:
            diff = nil
            ahead = ReadAhead(blob)
            source = BudgetedSource(ahead, budget)
        case .gzip, .zstd:
            ahead = ReadAhead(try Decompressor(blob))
            let diff = HashingSource(ahead)
            self.diff = diff
            source = BudgetedSource(diff, budget)
        case .unsupported(let name):
            throw .refused(entry: nil, reason: "compressed with \(name); plain, gzip and zstd can be read")
        }
    }

    /// Unpacks the layer into `directory`.
    ///
    /// - Parameter below: the trees of the layers below it, the topmost first
    func unpack(into directory: String, below: [String]) throws(ImportFailure) -> LayerUnpacker.Size {
        var opened: [OpenFile] = []
        for path in below { opened.append(try OpenFile.directory(path)) }
        let tree = LayerTree(
            root: try OpenFile.directory(directory), below: opened, path: directory, limits: limits)
        let reader = TarReader(source, limits: limits, entryLimit: limits.layerEntries)
        return try LayerUnpacker(tree, limits: limits).unpack(reader)
    }

    /// Reads what is left, and holds the digests against what was announced.
    func verify() throws(ImportFailure) {
        while try source.skip(1 << 30) > 0 {}
        // The blob's digest is the other thread's until it has ended.
        ahead.stop()
        if diff != nil { try blob.drain() }
        let (actualBlob, actualDiff) = (blob.digest(), diff?.digest())
        if let announced = layer.blob, announced != actualBlob {
            throw TarballContents.mismatch(layer.name, expected: announced, actual: actualBlob)
        }
        guard (actualDiff ?? actualBlob) == layer.diffID else {
            throw TarballContents.mismatch(layer.name, expected: layer.diffID, actual: actualDiff ?? actualBlob)
        }
    }

    /// The digest of the layer as it lies in the tarball, once it was verified.
    var blobDigest: Digest { blob.digest() }
}
