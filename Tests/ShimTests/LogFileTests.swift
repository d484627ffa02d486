import FoundationEssentials
import Glibc
import ShimProtocol
import TestKit
import Testing

@testable import Shim

@Suite("A container's log file")
struct LogFileTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func `The file and its directories are made, for the owner and his group`() async throws {
        try await Scratch.use { scratch in
            let log = try LogFile(LogPlace(directory: scratch.file("pods/p"), path: "web/0.log"))
            log.write(bytes("a\n"))
            log.write(bytes("b\n"))
            let path = scratch.file("pods/p/web/0.log")
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "a\nb\n")
            var status = stat()
            #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o640)
        }
    }

    @Test func `After a rotation, reopen goes on in a new file`() async throws {
        try await Scratch.use { scratch in
            let log = try LogFile(LogPlace(directory: scratch.path, path: "0.log"))
            log.write(bytes("old\n"))
            #expect(rename(scratch.file("0.log"), scratch.file("0.log.1")) == 0)
            log.write(bytes("still old\n"))
            try log.reopen()
            log.write(bytes("new\n"))
            #expect(try String(contentsOfFile: scratch.file("0.log.1"), encoding: .utf8) == "old\nstill old\n")
            #expect(try String(contentsOfFile: scratch.file("0.log"), encoding: .utf8) == "new\n")
        }
    }

    @Test func `A symbolic link in the file's place is refused, and its target stays as it was`() async throws {
        try await Scratch.use { scratch in
            let victim = try scratch.write("victim", "precious\n")
            let logs = try scratch.directory("logs/web")
            #expect(symlink(victim, logs + "/0.log") == 0)
            #expect(throws: ShimFailure.self) {
                try LogFile(LogPlace(directory: scratch.file("logs"), path: "web/0.log"))
            }
            #expect(try String(contentsOfFile: victim, encoding: .utf8) == "precious\n")
        }
    }

    @Test func `A symbolic link in a directory's place is refused`() async throws {
        try await Scratch.use { scratch in
            let elsewhere = try scratch.directory("elsewhere")
            _ = try scratch.directory("logs")
            #expect(symlink(elsewhere, scratch.file("logs/web")) == 0)
            #expect(throws: ShimFailure.self) {
                try LogFile(LogPlace(directory: scratch.file("logs"), path: "web/0.log"))
            }
            #expect(symlink(elsewhere, scratch.file("pod")) == 0)
            #expect(throws: ShimFailure.self) { try LogFile(LogPlace(directory: scratch.file("pod"), path: "0.log")) }
            #expect(throws: ShimFailure.self) { try LogFile(LogPlace(directory: scratch.file("pod/"), path: "0.log")) }
            #expect(try FileManager.default.contentsOfDirectory(atPath: elsewhere) == [])
        }
    }

    @Test func `A link planted before a rotation doesn't lead reopen astray`() async throws {
        // Checked: without O_NOFOLLOW and RESOLVE_NO_SYMLINKS the victim is written to.
        try await Scratch.use { scratch in
            let victim = try scratch.write("victim", "precious\n")
            let log = try LogFile(LogPlace(directory: scratch.file("logs"), path: "web/0.log"))
            #expect(unlink(scratch.file("logs/web/0.log")) == 0)
            #expect(symlink(victim, scratch.file("logs/web/0.log")) == 0)
            #expect(throws: ShimFailure.self) { try log.reopen() }
            log.write(bytes("x\n"))
            #expect(try String(contentsOfFile: victim, encoding: .utf8) == "precious\n")
        }
    }

    @Test func `The pod's directory swapped for a link after the start changes nothing`() async throws {
        // Checked: with the directory opened by its path again, the log is made where the link leads.
        try await Scratch.use { scratch in
            let elsewhere = try scratch.directory("elsewhere")
            let log = try LogFile(LogPlace(directory: scratch.file("logs"), path: "web/0.log"))
            #expect(rename(scratch.file("logs"), scratch.file("moved")) == 0)
            #expect(symlink(elsewhere, scratch.file("logs")) == 0)
            try log.reopen()
            log.write(bytes("x\n"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: elsewhere) == [])
            #expect(try String(contentsOfFile: scratch.file("moved/web/0.log"), encoding: .utf8) == "x\n")
        }
    }

    @Test func `A file with a second name, a pipe and a directory are no log files`() async throws {
        // Checked: without the look at the links' number the file with a second name is taken.
        try await Scratch.use { scratch in
            let victim = try scratch.write("victim", "precious\n")
            #expect(link(victim, scratch.file("hard.log")) == 0)
            #expect(mkfifo(scratch.file("pipe.log"), 0o600) == 0)
            _ = try scratch.directory("directory.log")
            for name in ["hard.log", "pipe.log", "directory.log", "../x.log", "/etc/x.log", ""] {
                #expect(throws: ShimFailure.self, "\(name)") {
                    try LogFile(LogPlace(directory: scratch.path, path: name))
                }
            }
        }
    }

    @Test(.needs(.root)) func `On a full disk whole lines are kept, the rest is counted`() async throws {
        // Checked: without the cut to the last whole line a part of one stays.
        try await Scratch.use { scratch in
            let full = try scratch.directory("full")
            try #require(mount("tmpfs", full, "tmpfs", 0, "size=16k") == 0)
            let log = try LogFile(LogPlace(directory: full, path: "0.log"))
            let line = String(repeating: "x", count: 99) + "\n"
            for _ in 0..<300 { log.write(bytes(line)) }
            let text = try String(contentsOfFile: full + "/0.log", encoding: .utf8)
            #expect(text.hasSuffix("\n"))
            #expect(text.utf8.count % 100 == 0)
            #expect(log.lostBytes == UInt64(300 * 100 - text.utf8.count))
            #expect(log.lostBytes > 0)
        }
    }
}
