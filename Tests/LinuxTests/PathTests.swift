import Glibc
import Linux
import TestKit
import Testing

@Suite("Paths below a root")
struct PathTests {
    @Test("Links, climbing and absolute, stay inside")
    func staysInside() async throws {
        try await Scratch.use { scratch in
            let inside = try scratch.directory("root/inside")
            _ = try scratch.directory("outside")
            let root = try File.open(scratch.file("root"), OpenFlag.path | O_DIRECTORY)
            try File.symlink("/inside", scratch.file("root/absolute"))
            try File.symlink("../../../inside", scratch.file("root/climbing"))
            try File.symlink("../../outside", scratch.file("root/out"))
            for name in ["/absolute", "climbing", "/climbing/../absolute"] {
                let found = try RootedPath.open(name, root: root.raw)
                #expect(try found.status().isSameFile(as: FileStatus(inside)))
            }
            // Where it leads outside, the same path is made inside.
            let made = try RootedPath.makeDirectory("/out/deep", root: root.raw)
            #expect(try made.status().isSameFile(as: FileStatus(scratch.file("root/outside/deep"))))
            #expect(try Directory.names(scratch.file("outside")).isEmpty)
        }
    }

    @Test("Files and folders are made where they are missing, and left where they are")
    func makes() async throws {
        try await Scratch.use { scratch in
            let root = try File.open(scratch.path, OpenFlag.path | O_DIRECTORY)
            let file = try RootedPath.makeFile("/a/b/file", root: root.raw)
            #expect(try file.status().isRegular)
            try AtomicFile.write(scratch.file("a/b/file"), "kept")
            _ = try RootedPath.makeFile("/a/b/file", root: root.raw)
            #expect(try File.readText(scratch.file("a/b/file")) == "kept")
            #expect(throws: SystemError.self) { _ = try RootedPath.makeDirectory("/a/b/file", root: root.raw) }
            #expect(throws: SystemError.self) { _ = try RootedPath.makeFile("/nope/..", root: root.raw) }
        }
    }

    @Test("Links in a circle are an error")
    func refusesCircles() async throws {
        try await Scratch.use { scratch in
            let root = try File.open(scratch.path, OpenFlag.path | O_DIRECTORY)
            try File.symlink("/two", scratch.file("one"))
            try File.symlink("/one", scratch.file("two"))
            let result = Result { () throws(SystemError) in _ = try RootedPath.makeDirectory("/one/x", root: root.raw) }
            guard case .failure(let error) = result else {
                Issue.record("made")
                return
            }
            #expect(error.errno == .loop)
        }
    }
}
