import Crypto

/// A digest of bytes that come piece by piece.
struct DigestStream {
    private var hash = SHA256()

    mutating func update(_ bytes: UnsafeRawBufferPointer) { hash.update(bufferPointer: bytes) }

    func digest() -> Digest { Digest(hash: hash.finalize()) }
}

/// The name of a layer together with all layers below it (OCI image-spec 1.1, config.md, "Layer ChainID").
func chainIDs(of diffIDs: [Digest]) -> [Digest] {
    var chain: [Digest] = []
    for diffID in diffIDs {
        guard let below = chain.last else {
            chain.append(diffID)
            continue
        }
        chain.append(Digest(of: "\(below) \(diffID)".utf8))
    }
    return chain
}

extension Digest {
    init(of bytes: some Collection<UInt8>) {
        var stream = DigestStream()
        Array(bytes).withUnsafeBytes { stream.update($0) }
        self = stream.digest()
    }
}
