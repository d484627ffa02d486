import FuzzKit
import Glibc

@testable import Images

/// Image names as people write them, and what registries' headers say.
func read(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    if let reference = try? ImageReference(text) {
        precondition((try? ImageReference(reference.description)) == reference, "a full name names the same")
        precondition(!reference.path.contains("..") && !reference.name.utf8.contains { $0 <= 0x20 || $0 >= 0x7f })
    }
    if let target = RequestTarget(text) {
        precondition(RequestTarget(target.description) == target, "a URL is read as it is written")
        _ = target.followed(by: text)
    }
    for challenge in Challenge.read(text) { precondition(!challenge.scheme.isEmpty) }
    if let address = HostAddress(text) { precondition(HostAddress(address.description) == address) }
    if let decoded = Base64.decode(text) { precondition(decoded.count <= bytes.count) }
    _ = goDuration(text)
}

exit(Fuzzer.run(read))
