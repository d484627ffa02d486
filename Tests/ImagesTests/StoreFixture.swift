import FoundationEssentials
import Glibc
import Images
import Logging
import TestKit
import Testing

/// A store of the test's own, below a scratch directory.
struct StoreFixture {
    let scratch: Scratch
    let store: ImageStore

    var root: String { store.root }

    static func use(
        limits: ImageLimits = ImageLimits(), _ body: (StoreFixture) async throws -> Void
    ) async throws {
        try await Scratch.use { scratch in
            let store = try await ImageStore(root: scratch.file("store"), logger: quiet, limits: limits)
            try await body(StoreFixture(scratch: scratch, store: store))
        }
    }

    static var quiet: Logger {
        var logger = Logger(label: "test") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .critical
        return logger
    }

    @discardableResult
    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let path = scratch.file(name)
        try Data(bytes).write(to: URL(filePath: path))
        return path
    }

    func load(_ bytes: [UInt8], name: String = "image.tar", pinned: Bool = false) async throws -> [ImageRecord] {
        try await store.load(tarball: try write(name, bytes), pinned: pinned)
    }

    /// The tree of the image's only or topmost layer.
    func tree(_ image: ImageRecord) throws -> String {
        let layers = try FileManager.default.contentsOfDirectory(atPath: root + "/layers")
        return root + "/layers/" + (try #require(layers.count == 1 ? layers.first : nil)) + "/fs"
    }

    /// Everything that the store keeps; its own lock apart.
    func kept() throws -> [String] {
        var kept: [String] = []
        for directory in [
            "layers", "snapshots", "content/blobs/sha256", "content/images", "content/tmp", "content/unpacking",
        ] {
            kept += try FileManager.default.contentsOfDirectory(atPath: root + "/" + directory).map {
                "\(directory)/\($0)"
            }
        }
        return kept.sorted()
    }

    /// Loads what has to be refused, and shows that nothing of it is left.
    @discardableResult
    func refuse(
        _ bytes: [UInt8], says reason: String = "", name: String = "hostile.tar",
        _ location: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let before = try kept()
        var text = ""
        do {
            _ = try await load(bytes, name: name)
            Issue.record("it was taken", sourceLocation: location)
        } catch let error as ImageError {
            text = error.description
            guard case .refused = error else {
                Issue.record("not a refusal: \(error)", sourceLocation: location)
                return text
            }
        }
        #expect(text.hasPrefix(scratch.file(name)), sourceLocation: location)
        #expect(reason.isEmpty || text.contains(reason), "\(text)", sourceLocation: location)
        #expect(try kept() == before, sourceLocation: location)
        return text
    }
}

/// lstat(2).
func status(_ path: String) throws -> stat {
    var status = stat()
    guard lstat(path, &status) == 0 else { throw POSIXFailure("lstat", path) }
    return status
}

func exists(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0
}

func text(_ path: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
}
