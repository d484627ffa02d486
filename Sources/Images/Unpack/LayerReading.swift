import Glibc

/// One layer on its way into its directory: decompressed, hashed and unpacked in one pass.
final class LayerReading {
    /// What is known of a layer before its first byte.
    struct Announced {
        /// For an error's text.
        var name: String
        /// The digest of the layer as it comes; nil where nobody has said.
        var blob: Digest?
        var diffID: Digest
    }

    let compression: Compression
    private let layer: Announced
    private let limits: ImageLimits
    private let blob: HashingSource
    /// The uncompressed layer; nil when the layer is not compressed, and one digest does for both.
    private let diff: HashingSource?
    private let source: BudgetedSource
    /// What runs on the other core: reading, the blob's digest, and decompression.
    private let ahead: ReadAhead

    /// - Parameter raw: the layer as it comes
    init(
        _ layer: Announced, from raw: any ByteSource, _ budget: UnpackBudget, _ limits: ImageLimits
    ) throws(ImportFailure) {
        self.layer = layer
        self.limits = limits
        let peeking = try PeekingSource(raw)
        compression = peeking.compression
        blob = HashingSource(peeking)
        if compression == .none {
            diff = nil
            ahead = ReadAhead(blob)
            source = BudgetedSource(ahead, budget)
        } else {
            ahead = ReadAhead(try compression.decompressor(blob))
            let diff = HashingSource(ahead)
            self.diff = diff
            source = BudgetedSource(diff, budget)
        }
    }

    /// Unpacks the layer into `directory`, but for what the layers below have a say in.
    func unpack(into directory: String) throws(ImportFailure) -> LayerUnpacker {
        let tree = try LayerTree(root: try OpenFile.directory(directory), path: directory, limits: limits)
        let unpacker = LayerUnpacker(tree, limits: limits)
        try unpacker.unpack(TarReader(source, limits: limits, entryLimit: limits.layerEntries))
        return unpacker
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

    /// The digest of the layer as it came, once it was verified.
    var blobDigest: Digest { blob.digest() }
}

extension LayerUnpacker {
    /// Puts the layer on the layers below it, whose trees are in these directories, the topmost first.
    func finish(onTrees below: [String]) throws(ImportFailure) {
        var opened: [OpenFile] = []
        for path in below { opened.append(try OpenFile.directory(path)) }
        try finish(on: opened)
    }
}
