import Glibc
import Linux
import TestKit
import Testing

@Suite("Files and folders")
struct FileTests {
    @Test("Every descriptor is close-on-exec")
    func closesOnExec() async throws {
        try await Scratch.use { scratch in
            let file = try File.open(scratch.file("f"), O_WRONLY | O_CREAT, mode: 0o600)
            let copy = try file.duplicate()
            let socket = try UnixSocket(.stream)
            let epoll = try Epoll()
            for number in [file.raw, copy.raw, socket.descriptor.raw, epoll.descriptor.raw] {
                #expect(fcntl(number, F_GETFD) & FD_CLOEXEC != 0)
            }
        }
    }

    @Test("An atomic write replaces the file whole, with the mode asked for")
    func replacesWhole() async throws {
        try await Scratch.use { scratch in
            let path = scratch.file("file")
            try AtomicFile.write(path, "one")
            try AtomicFile.write(path, "two", mode: 0o644, sync: true)
            #expect(try File.readText(path) == "two")
            #expect(try FileStatus(path).permissions == 0o644)
            #expect(try Directory.names(scratch.path) == ["file"])
        }
    }

    @Test("A file larger than the limit is not read")
    func limitsReading() async throws {
        try await Scratch.use { scratch in
            try scratch.write("file", String(repeating: "x", count: 100_000))
            #expect(try File.read(scratch.file("file"), limit: 100_000).count == 100_000)
            let result = Result { () throws(SystemError) in try File.read(scratch.file("file"), limit: 99_999) }
            guard case .failure(let error) = result else {
                Issue.record("read")
                return
            }
            #expect(error.errno == .tooBig)
            #expect(error.description == "read \(scratch.file("file")): File too large")
        }
    }

    @Test("A tree is removed without following links")
    func removesTrees() async throws {
        try await Scratch.use { scratch in
            let outside = try scratch.directory("outside")
            try scratch.write("outside/kept", "x")
            _ = try scratch.directory("tree/a/b")
            try scratch.write("tree/a/b/file", "x")
            try File.symlink(outside, scratch.file("tree/a/link"))
            try Directory.removeTree(scratch.file("tree"))
            #expect(!File.exists(scratch.file("tree")))
            #expect(File.exists(outside + "/kept"))
            try Directory.removeTree(scratch.file("tree"))
        }
    }

    @Test("A tree that is deeper than there are descriptors is removed, whatever bytes its names have")
    func removesDeepTrees() async throws {
        try await Scratch.use { scratch in
            let path = try scratch.directory("deep")
            var folder = try File.open(path, O_RDONLY | O_DIRECTORY)
            for _ in 0..<2000 {
                try checkErrno(mkdirat(folder.raw, "d", 0o755), "mkdir")
                folder = try File.open("d", O_RDONLY | O_DIRECTORY, at: folder.raw)
            }
            // No UTF-8.
            let name: [CChar] = [-1, -2, 0x61, 0]
            try checkErrno(mkdirat(folder.raw, name, 0o755), "mkdir")
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            var low = rlimit(rlim_cur: 400, rlim_max: limit.rlim_max)
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &low)
            defer { setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) }
            try Directory.removeTree(path)
            #expect(!File.exists(path))
        }
    }

    @Test("A mount below a tree stops its removal, and what is mounted survives", .needs(.root))
    func stopsAtMounts() async throws {
        try await Scratch.use { scratch in
            let source = try scratch.directory("source")
            try scratch.write("source/kept", "x")
            let target = try scratch.directory("tree/target")
            try Mount.bind(source, on: target)
            scratch.atEnd { umount2(target, Int32(MNT_DETACH)) }
            #expect(throws: SystemError.self) { try Directory.removeTree(scratch.file("tree")) }
            #expect(File.exists(source + "/kept"))
        }
    }

    @Test("Attributes come back as they were set")
    func keepsAttributes() async throws {
        try await Scratch.use { scratch in
            let path = try scratch.write("file", "x")
            let value = [UInt8](repeating: 7, count: 1000)
            try ExtendedAttributes.set("user.long", value, of: path)
            #expect(try ExtendedAttributes.get("user.long", of: path) == value)
            #expect(try ExtendedAttributes.names(path) == ["user.long"])
            #expect(try ExtendedAttributes.get("user.none", of: path) == nil)
            try ExtendedAttributes.remove("user.long", of: path)
            try ExtendedAttributes.remove("user.long", of: path)
            #expect(try ExtendedAttributes.names(path).isEmpty)
        }
    }
}
