import CLinux
import Glibc

/// One tarball's way into the store, from the file to unpacked layers. Runs on one thread from start to end.
struct TarballImport {
    let workspace: Workspace
    let layers: LayerStore
    let limits: ImageLimits
    let progress: @Sendable (ImageProgress) -> Void
    let cancellation = ImportCancellation()

    /// Reads the tarball at `path` whole, verifies every digest in it, and unpacks the layers that aren't there yet.
    ///
    /// - Throws: nothing of the tarball is left in the store then
    func run(_ path: String) throws(ImportFailure) -> [ImportedImage] {
        let (contents, tarballBytes) = try open(path)
        let name = path.split(separator: "/").last ?? ""
        let plans = try planImages(contents, stem: Self.stem(name), platform: .host, limits: limits)
        let budget = UnpackBudget(limits, tarballBytes: tarballBytes)
        let total = plans.reduce(0) { $0 + $1.layers.reduce(0) { $0 + $1.part.length } }
        let meter = ProgressMeter(
            total: total, layers: plans.reduce(0) { $0 + $1.layers.count }, cancellation, report: progress)
        var held: [Digest] = []
        do throws(ImportFailure) {
            var images: [ImportedImage] = []
            for plan in plans { images.append(try unpack(plan, contents, budget, meter, &held)) }
            return images
        } catch {
            layers.release(held)
            throw error
        }
    }

    /// `web` from `web.tar.gz`, in the letters that a name may have.
    static func stem(_ file: Substring) -> String {
        var stem = file.lowercased()
        for ending in [".gz", ".tgz", ".zst", ".zstd", ".tzst", ".tar"] where stem.hasSuffix(ending) {
            stem.removeLast(ending.count)
        }
        return stem
    }

    // MARK: Opening

    private func open(_ path: String) throws(ImportFailure) -> (TarballContents, bytes: UInt64) {
        // O_NONBLOCK: a fifo must not hold the thread.
        let file = try OpenFile.open(path, O_RDONLY | O_NONBLOCK)
        var status = stat()
        try checkErrno(fstat(file.fd, &status), "stat", path)
        guard status.st_mode & S_IFMT == S_IFREG else { throw .refused(entry: nil, reason: "not a regular file") }
        let length = UInt64(status.st_size)
        guard length > 0 else { throw .refused(entry: nil, reason: "an empty file") }
        progress(ImageProgress(stage: .reading, totalBytes: length))
        let compression = try file.compression(at: 0, length: length, path: path)
        if compression == .none {
            return (try TarballContents(file: file, length: length, path: path, limits: limits), length)
        }
        let (plain, plainLength) = try decompress(file, compression, length: length, path: path)
        return (try TarballContents(file: plain, length: plainLength, path: path, limits: limits), length)
    }

    /// The archive's table of contents may be at its end: it has to lie in a file of its own to be read from there.
    private func decompress(
        _ file: OpenFile, _ compression: Compression, length: UInt64, path: String
    ) throws(ImportFailure) -> (OpenFile, length: UInt64) {
        let plain = try workspace.anonymousFile()
        let meter = ProgressMeter(total: length, layers: 0, cancellation, report: progress)
        let window = FileWindow(file, path: path, offset: 0, length: length, progress: meter.read)
        let source = BudgetedSource(
            try compression.decompressor(window), UnpackBudget(limits, tarballBytes: length))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)
        defer { buffer.deallocate() }
        var total: UInt64 = 0
        while true {
            let count = try source.read(into: buffer)
            if count == 0 { break }
            try writeAll(plain.fd, UnsafeRawBufferPointer(rebasing: buffer[..<count]), workspace.root)
            total += UInt64(count)
        }
        return (plain, total)
    }

    // MARK: Layers

    private func unpack(
        _ plan: ImagePlan, _ contents: TarballContents, _ budget: UnpackBudget, _ meter: ProgressMeter,
        _ held: inout [Digest]
    ) throws(ImportFailure) -> ImportedImage {
        var blobs: [(digest: Digest, size: UInt64, compression: Compression)] = []
        var below: [Digest] = []
        for layer in plan.layers {
            meter.beginLayer()
            do throws(ImportFailure) {
                let part = layer.part
                let window = FileWindow(
                    contents.file, path: contents.path, offset: part.offset, length: part.length, progress: meter.read)
                let reading = try LayerReading(
                    LayerReading.Announced(name: layer.name, blob: layer.blob, diffID: layer.diffID), from: window,
                    budget, limits)
                let trees = below.reversed().map(layers.tree)
                let isNew = try layers.acquire(layer.chainID, diffID: layer.diffID, cancellation) {
                    (directory) throws(ImportFailure) in
                    let unpacked = try reading.unpack(into: directory)
                    try reading.verify()
                    try unpacked.finish(onTrees: trees)
                }
                held.append(layer.chainID)
                // It is there already: the tarball must still be what it says.
                if !isNew { try reading.verify() }
                blobs.append((reading.blobDigest, part.length, reading.compression))
            } catch {
                throw error.inside(printable(layer.name.utf8))
            }
            below.append(layer.chainID)
        }
        var documents = plan.documents
        documents.append((plan.id, plan.config))
        let manifest = plan.target == nil ? manifestDocument(plan, blobs) : nil
        if let manifest { documents.append((Digest(of: manifest), manifest)) }
        return ImportedImage(
            id: plan.id, config: plan.image, names: plan.names,
            target: plan.target ?? Digest(of: manifest ?? []), documents: documents,
            diffIDs: plan.layers.map(\.diffID), chainIDs: plan.layers.map(\.chainID))
    }

    /// Docker's archives have no manifest: the one that a registry would hold, so that the image has a digest.
    private func manifestDocument(
        _ plan: ImagePlan, _ blobs: [(digest: Digest, size: UInt64, compression: Compression)]
    ) -> [UInt8] {
        func descriptor(_ type: String, _ size: UInt64, _ digest: Digest) -> String {
            "{\"mediaType\":\"application/vnd.oci.image.\(type)\",\"digest\":\"\(digest)\",\"size\":\(size)}"
        }
        let layers = blobs.map { blob in
            let ending = blob.compression == .gzip ? "+gzip" : blob.compression == .zstd ? "+zstd" : ""
            return descriptor("layer.v1.tar" + ending, blob.size, blob.digest)
        }
        let config = descriptor("config.v1+json", UInt64(plan.config.count), plan.id)
        return Array(
            """
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":\(config),\
            "layers":[\(layers.joined(separator: ","))]}
            """.utf8)
    }
}
