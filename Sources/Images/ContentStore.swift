import CLinux
import Glibc

/// Blobs by digest: manifests, indexes and configurations. Layers are kept unpacked only.
struct ContentStore: Sendable {
    private let workspace: Workspace

    init(_ workspace: Workspace) { self.workspace = workspace }

    private func path(_ digest: Digest) -> String { "\(workspace.content)/\(digest.hex)" }

    /// Stores a blob under the digest that it must have; it appears whole or not at all.
    func put(_ bytes: [UInt8], as digest: Digest) throws(ImportFailure) {
        let actual = Digest(of: bytes)
        guard actual == digest else { throw TarballContents.mismatch("\(digest)", expected: digest, actual: actual) }
        var status = stat()
        if lstat(path(digest), &status) == 0 && Int(status.st_size) == bytes.count { return }
        try replaceFile(path(digest), with: bytes)
    }

    /// - Throws: when the blob is not there, or is not any more what was stored
    func get(_ digest: Digest) throws(ImportFailure) -> [UInt8] {
        guard let bytes = try readFile(path(digest), limit: 64 << 20) else {
            throw .failed(step: "read", path: path(digest), reason: errnoText(ENOENT))
        }
        guard Digest(of: bytes) == digest else {
            throw .failed(
                step: "read", path: path(digest), reason: "the file is damaged (remove the image and load it again)")
        }
        return bytes
    }

    /// Removes all blobs but those.
    func keep(only wanted: Set<Digest>) throws(ImportFailure) {
        let directory = try OpenFile.directory(workspace.content)
        for name in try TreeRemoval.names(in: directory.fd, path: workspace.content) {
            let bytes = name.dropLast().map { UInt8(bitPattern: $0) }
            if let digest = Digest(hex: String(decoding: bytes, as: UTF8.self)), wanted.contains(digest) { continue }
            try TreeRemoval.remove(bytes, in: directory.fd, path: workspace.content)
        }
    }
}
