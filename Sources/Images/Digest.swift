import Crypto

/// A SHA-256 content digest, as `sha256:<64 hexadecimal digits>`.
struct Digest: Hashable, Sendable, CustomStringConvertible {
    /// 64 lowercase hexadecimal digits; safe as a file's name.
    let hex: String

    var description: String { "sha256:" + hex }

    init?(hex: some StringProtocol) {
        guard hex.utf8.count == 64, hex.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else {
            return nil
        }
        self.hex = String(hex)
    }

    /// Reads `sha256:…`; other algorithms are nil.
    init?(_ text: some StringProtocol) {
        guard text.hasPrefix("sha256:") else { return nil }
        self.init(hex: text.dropFirst(7))
    }

    init(of bytes: some Collection<UInt8>) {
        var stream = DigestStream()
        Array(bytes).withUnsafeBytes { stream.update($0) }
        self = stream.digest()
    }

    fileprivate init(_ digest: SHA256.Digest) {
        let digits = Array("0123456789abcdef".utf8)
        hex = String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

extension Digest: Codable {
    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let digest = Digest(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\(printable(text.utf8)) is no sha256 digest")
        }
        self = digest
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// A digest of bytes that come piece by piece.
struct DigestStream {
    private var hash = SHA256()

    mutating func update(_ bytes: UnsafeRawBufferPointer) { hash.update(bufferPointer: bytes) }

    func digest() -> Digest { Digest(hash.finalize()) }
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
