import FoundationEssentials
import Glibc
import Images
import Synchronization
import TestKit
import Testing

/// Tarballs that people drop into a directory.
@Suite(.needs(.root)) struct DropFolderTests {
    /// What a folder told.
    private final class Log: Sendable {
        private let events = Mutex<[String]>([])

        func add(_ event: ImageDropFolder.Event) {
            let text: String? =
                switch event {
                case .progress: nil
                case .loaded(let file, let images):
                    "loaded \(name(file)): \(images.flatMap(\.repoTags).joined(separator: " "))"
                case .refused(let file, let error): "refused \(name(file)): \(error)"
                case .ready: "ready"
                }
            if let text { events.withLock { $0.append(text) } }
        }

        var all: [String] { events.withLock { $0 } }
        func count(_ prefix: String) -> Int { all.count { $0.hasPrefix(prefix) } }
        private func name(_ path: String) -> Substring { path.split(separator: "/").last ?? "" }
    }

    private func run(
        _ fixture: StoreFixture, _ body: (_ directory: String, Log) async throws -> Void
    ) async throws {
        let directory = fixture.scratch.file("drop")
        let log = Log()
        let folder = ImageDropFolder(
            directory: directory, store: fixture.store, logger: StoreFixture.quiet, observe: log.add)
        let task = Task { try await folder.run() }
        defer { task.cancel() }
        try await eventually("the folder is ready") { log.all.contains("ready") }
        try await body(directory, log)
        task.cancel()
        try await task.value
    }

    private func image(_ name: String) -> [UInt8] {
        var image = ImageTarball { $0.file("file", name) }
        image.names = ["localhost/\(name)"]
        return image.dockerSave()
    }

    @Test func `what is there is imported first, then what is copied, moved or linked in`() async throws {
        try await StoreFixture.use { fixture in
            _ = try fixture.scratch.directory("drop")
            try fixture.write("drop/there.tar", image("there"))
            try await run(fixture) { directory, log in
                #expect(log.all.first == "loaded there.tar: localhost/there:latest")
                try fixture.write("drop/copied.tar", image("copied"))
                try fixture.write("moved", gzip(image("moved")))
                rename(fixture.scratch.file("moved"), directory + "/moved.tar.gz")
                try fixture.write("linked", image("linked"))
                link(fixture.scratch.file("linked"), directory + "/linked.tar")
                try await eventually("all are there") { await fixture.store.list().count == 4 }
                #expect(await fixture.store.list().allSatisfy(\.pinned))
                try await eventually("all are told of") { log.count("loaded") == 4 }
                // The file's end is not the image's.
                unlink(directory + "/copied.tar")
                try fixture.write("drop/last.tar", image("last"))
                try await eventually("the last one") { await fixture.store.find("localhost/last") != nil }
                #expect(await fixture.store.find("localhost/copied") != nil)
            }
        }
    }

    @Test func `a file is not read before it is complete`() async throws {
        try await StoreFixture.use { fixture in
            _ = try fixture.scratch.directory("drop")
            let path = fixture.scratch.file("drop/slow.tar")
            let bytes = image("slow")
            // Half written when the folder is opened, and long after.
            let file = open(path, O_WRONLY | O_CREAT, 0o644)
            #expect(write(file, bytes, 3000) == 3000)
            try await run(fixture) { directory, log in
                try fixture.write("drop/other.tar", image("other"))
                try await eventually("another file passes it") { log.count("loaded other.tar") == 1 }
                #expect(log.count("refused") == 0)
                #expect(bytes[3000...].withUnsafeBytes { write(file, $0.baseAddress, $0.count) } == bytes.count - 3000)
                close(file)
                try await eventually("it is complete") { log.count("loaded slow.tar") == 1 }
                #expect(log.count("refused") == 0)
            }
        }
    }

    @Test func `a refusal is told once, and again when the file has changed`() async throws {
        try await StoreFixture.use { fixture in
            try await run(fixture) { directory, log in
                try fixture.write("drop/bad.tar", Array(image("bad").dropLast(4000)))
                try await eventually("it is refused") { log.count("refused bad.tar") == 1 }
                // The same file touched by nobody, while others come.
                try fixture.write("drop/good.tar", image("good"))
                try await eventually("another one") { log.count("loaded good.tar") == 1 }
                #expect(log.count("refused") == 1)
                #expect(log.all.contains { $0.contains("truncated") })
                try fixture.write("drop/bad.tar", image("mended"))
                try await eventually("it is mended") { log.count("loaded bad.tar") == 1 }
                #expect(log.count("refused") == 1)
            }
        }
    }

    @Test func `what programs write beside and what isn't meant is left alone`() async throws {
        try await StoreFixture.use { fixture in
            try await run(fixture) { directory, log in
                for name in [".hidden.tar", "half.tar.part", "edit.tar~", "x.tmp"] {
                    try fixture.write("drop/\(name)", [1])
                }
                mkdir(directory + "/folder", 0o755)
                mkfifo(directory + "/pipe", 0o600)
                try fixture.write("drop/good.tar", image("good"))
                try await eventually("the good one") { log.count("loaded") == 1 }
                try await eventually("the pipe is told of") { log.count("refused pipe") == 1 }
                #expect(log.count("refused") == 1)
            }
        }
    }

    @Test func `the next start reads no file again whose images are there`() async throws {
        try await StoreFixture.use { fixture in
            try await run(fixture) { directory, log in
                try fixture.write("drop/one.tar", image("one"))
                try fixture.write("drop/two.tar", image("two"))
                try await eventually("both") { log.count("loaded") == 2 }
            }
            try await fixture.store.remove("localhost/two")
            try await run(fixture) { directory, log in
                #expect(log.all == ["loaded two.tar: localhost/two:latest", "ready"])
            }
        }
    }

    @Test func `a directory that is removed and made again is watched again`() async throws {
        try await StoreFixture.use { fixture in
            try await run(fixture) { directory, log in
                #expect(rmdir(directory) == 0)
                try await eventually("it is made again") { exists(directory) }
                try fixture.write("drop/one.tar", image("one"))
                try await eventually("it is imported") { log.count("loaded") == 1 }
            }
        }
    }
}
