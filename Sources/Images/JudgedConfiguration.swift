/// An image's configuration, read and held against the manifest and this host.
struct JudgedConfiguration {
    var id: Digest
    var image: ImageConfig
    var diffIDs: [Digest]
    var chainIDs: [Digest]

    /// - Parameter layers: how many the manifest lists
    /// - Throws: what is wrong with it, without its name
    init(_ bytes: [UInt8], layers: Int, platform: Platform, limits: ImageLimits) throws(ImportFailure) {
        let document: ConfigDocument
        do throws(ImportFailure) {
            document = try decode(ConfigDocument.self, bytes, entry: "")
        } catch {
            guard case .refused(_, let reason) = error else { throw error }
            throw .refused(entry: nil, reason: reason)
        }
        try document.checkStrings()
        let stated = Descriptor.Platform(architecture: document.architecture, os: document.os)
        guard platform.rank(stated) != nil else {
            let (os, architecture) = (printable((stated.os ?? "").utf8), printable((stated.architecture ?? "").utf8))
            throw .refused(
                entry: nil, reason: "made for \(os)/\(architecture), and this host is \(platform.description)")
        }
        let diffIDs = try document.diffIDs()
        guard diffIDs.count == layers else {
            throw .refused(
                entry: nil, reason: "the manifest lists \(layers) layers and the configuration \(diffIDs.count)")
        }
        guard diffIDs.count <= limits.layers else {
            throw .refused(entry: nil, reason: "\(diffIDs.count) layers, more than \(limits.layers)")
        }
        id = Digest(of: bytes)
        image = document.image
        self.diffIDs = diffIDs
        chainIDs = Images.chainIDs(of: diffIDs)
    }
}
