import FoundationEssentials
import Glibc
import JSON
import ShimProtocol
import TestKit
import Testing

@testable import Shim

@Suite("A log that may only become so large")
struct LogLimitTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    private func log(
        _ scratch: Scratch, fileBytes: Int64 = LogLimit.leastFileBytes, files: Int = 3
    ) throws -> LogFile {
        let limit = try #require(LogLimit(fileBytes: fileBytes, files: files))
        return try LogFile(LogPlace(directory: scratch.path, path: "web/0.log", limit: limit))
    }

    /// The files in the order of time, the one that is written last.
    private func files(_ scratch: Scratch) throws -> [String] {
        let names = try FileManager.default.contentsOfDirectory(atPath: scratch.file("web"))
        return names.filter { $0 != "0.log" }.sorted() + ["0.log"]
    }

    private func text(_ scratch: Scratch, _ name: String) throws -> String {
        try String(contentsOfFile: scratch.file("web/" + name), encoding: .utf8)
    }

    @Test func `No file is ever larger than the limit by a byte, nor are there more, and what is kept is the end`()
        async throws
    {
        // Checked: without the limit the file grows, without the removal of the oldest their number. One byte more than the
        // limit allows is found by the next test.
        try await Scratch.use { scratch in
            let log = try log(scratch)
            var written = ""
            var random = SystemRandomNumberGenerator()
            for number in 0..<400 {
                let lines = (0...Int.random(in: 0...4, using: &random)).map { part in
                    let length = [1, 15, 100, 4000, 16_000].randomElement(using: &random) ?? 1
                    return "\(number).\(part) " + String(repeating: "x", count: length) + "\n"
                }.joined()
                written += lines
                log.write(bytes(lines))
                let files = try files(scratch)
                #expect(files.count <= 3)
                for name in files {
                    #expect(try text(scratch, name).utf8.count <= Int(LogLimit.leastFileBytes))
                }
            }
            let files = try files(scratch)
            #expect(files.count == 3)
            let kept = try files.map { try text(scratch, $0) }
            #expect(written.hasSuffix(kept.joined()))
            #expect(kept.allSatisfy { $0.hasSuffix("\n") })
            #expect(log.lostBytes == 0)
        }
    }

    @Test func `A file that lines fill to the last byte is full, and not moved away before the next line`() async throws
    {
        // Checked: with a limit that is one byte larger the next line goes into the full file.
        try await Scratch.use { scratch in
            let log = try log(scratch)
            let line = String(repeating: "x", count: 1023) + "\n"
            for _ in 0..<32 { log.write(bytes(line)) }
            #expect(try files(scratch) == ["0.log"])
            #expect(try text(scratch, "0.log").utf8.count == 32 << 10)
            log.write(bytes("\n"))
            #expect(try text(scratch, "0.log") == "\n")
            let rotated = try #require(try files(scratch).first)
            #expect(try text(scratch, rotated).utf8.count == 32 << 10)
            #expect(rotated.wholeMatch(of: /0\.log\.\d{8}-\d{6}/) != nil, "\(rotated)")
        }
    }

    @Test func `There is a file of the log's name at every moment`() async throws {
        // Checked: renamed instead of exchanged, the log is missing for moments.
        try await Scratch.use { scratch in
            let log = try log(scratch)
            let path = scratch.file("web/0.log")
            let looking = Task.detached {
                var missing = 0
                while !Task.isCancelled { if access(path, F_OK) != 0 { missing += 1 } }
                return missing
            }
            let line = bytes(String(repeating: "x", count: 16_000) + "\n")
            for _ in 0..<20_000 { log.write(line) }
            looking.cancel()
            #expect(await looking.value == 0)
        }
    }

    @Test func `Endings are sorted as the files were made, also when the clock stands or goes back`() {
        // Checked: with the clock's second taken as it is, they are neither sorted nor one of a kind.
        var names = RotatedNames()
        let second: Int64 = 1_000_000_000
        let start: Int64 = 1_136_214_245 * second
        #expect(names.next(start) == ".20060102-150405")
        #expect(names.next(start + 5) == ".20060102-150405.0001")
        #expect(names.next(start - 100 * second) == ".20060102-150405.0002")
        #expect(names.next(start + second) == ".20060102-150406")
        let many = (0..<25_000).map { _ in names.next(start) }
        #expect(many == many.sorted() && Set(many).count == many.count)
    }

    // Checked: with every file that begins like the log's name, the other container's log is the first to go.
    @Test func `A log whose name begins like this one's is left alone`() async throws {
        try await Scratch.use { scratch in
            let log = try log(scratch)
            try scratch.write("web/0.log.1", "another container's")
            try scratch.write("web/0.log.20200101-0000", "no time")
            for _ in 0..<20 { log.write(bytes(String(repeating: "x", count: 9_999) + "\n")) }
            #expect(try text(scratch, "0.log.1") == "another container's")
            #expect(try text(scratch, "0.log.20200101-0000") == "no time")
        }
    }

    @Test func `Somebody else's rotation counts, with and without reopen`() async throws {
        // Checked: without the removal at reopen there are four files; without the look whether the log is still the file of
        // its name, the one that somebody else has made is moved away.
        try await Scratch.use { scratch in
            let log = try log(scratch)
            let line = bytes(String(repeating: "x", count: 9_999) + "\n")
            for name in ["20200101-000000", "20200102-000000", "20200103-000000.gz"] {
                log.write(line)
                #expect(rename(scratch.file("web/0.log"), scratch.file("web/0.log.\(name)")) == 0)
                try log.reopen()
            }
            // Three files at most: the oldest has gone.
            #expect(try files(scratch) == ["0.log.20200102-000000", "0.log.20200103-000000.gz", "0.log"])
            log.write(line)
            #expect(rename(scratch.file("web/0.log"), scratch.file("web/0.log.20200104-000000")) == 0)
            for _ in 0..<3 { log.write(line) }
            // Nobody said so, and still the log goes on under its own name when the moved file is full.
            #expect(try files(scratch) == ["0.log.20200103-000000.gz", "0.log.20200104-000000", "0.log"])
            #expect(try text(scratch, "0.log.20200104-000000").utf8.count == 30_000)
            #expect(try text(scratch, "0.log").utf8.count == 10_000)
            // Nor is it a reason to move another's new file away.
            #expect(rename(scratch.file("web/0.log"), scratch.file("web/0.log.20200105-000000")) == 0)
            try scratch.write("web/0.log", "theirs\n")
            for _ in 0..<3 { log.write(line) }
            #expect(try files(scratch) == ["0.log.20200104-000000", "0.log.20200105-000000", "0.log"])
            #expect(try text(scratch, "0.log").hasPrefix("theirs\n"))
        }
    }

    @Test func `A log that somebody cuts has room again`() async throws {
        // Checked: without the look at its real size it is moved away though it is empty.
        try await Scratch.use { scratch in
            let log = try log(scratch)
            let line = bytes(String(repeating: "x", count: 9_999) + "\n")
            for _ in 0..<3 { log.write(line) }
            #expect(truncate(scratch.file("web/0.log"), 0) == 0)
            log.write(line)
            #expect(try files(scratch) == ["0.log"])
        }
    }

    @Test func `A log that an earlier limit left too large doesn't count on`() async throws {
        // Checked: with files counted and not measured the large one is kept.
        try await Scratch.use { scratch in
            let large = String(repeating: String(repeating: "x", count: 99) + "\n", count: 1000)
            _ = try scratch.directory("web")
            try scratch.write("web/0.log", large)
            let log = try log(scratch)
            log.write(bytes("a\n"))
            #expect(try text(scratch, "0.log") == "a\n")
            let line = bytes(String(repeating: "x", count: 9_999) + "\n")
            for _ in 0..<4 { log.write(line) }
            let sizes = try files(scratch).map { try text(scratch, $0).utf8.count }
            #expect(sizes.reduce(0, +) <= 3 * 32 << 10, "\(sizes)")
        }
    }

    @Test func `Links that a pod planted are neither written through nor followed when the log rotates`() async throws {
        // Checked: without O_NOFOLLOW and RESOLVE_NO_SYMLINKS the first link is written through, without O_EXCL the others.
        try await Scratch.use { scratch in
            let victim = try scratch.write("victim", "precious\n")
            // As many files as leave all of the links in their places.
            let log = try log(scratch, files: 1000)
            let line = bytes(String(repeating: "x", count: 9_999) + "\n")
            for _ in 0..<3 { log.write(line) }
            #expect(unlink(scratch.file("web/0.log")) == 0)
            #expect(symlink(victim, scratch.file("web/0.log")) == 0)
            log.write(line)
            #expect(log.lostBytes == 10_000)
            #expect(unlink(scratch.file("web/0.log")) == 0)
            var now = time(nil)
            // Whatever second it is, the name of the next rotated file is a link.
            for _ in 0..<120 {
                var date = tm()
                gmtime_r(&now, &date)
                var text = [CChar](repeating: 0, count: 32)
                strftime(&text, text.count, "%Y%m%d-%H%M%S", &date)
                let stamp = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
                symlink(victim, scratch.file("web/0.log.\(stamp)"))
                now += 1
            }
            for _ in 0..<40 { log.write(line) }
            #expect(try String(contentsOfFile: victim, encoding: .utf8) == "precious\n")
            #expect(try text(scratch, "0.log").utf8.count <= 32 << 10)
            #expect(log.lostBytes == 10_000)
        }
    }

    @Test(.needs(.root)) func `A full disk is said once, and doesn't stop the log for good`() async throws {
        // Checked: told of each loss there are many reasons; with torn lines left in place, parts of lines; with the log given
        // up at the first loss, nothing of what comes when there is room.
        try await Scratch.use { scratch in
            _ = try scratch.directory("web")
            try #require(mount("tmpfs", scratch.file("web"), "tmpfs", 0, "size=64k") == 0)
            try scratch.write("web/ballast", String(repeating: "b", count: 40 << 10))
            let log = try log(scratch)
            var reasons: [String] = []
            log.outputLost = { reasons.append($0) }
            let line = String(repeating: "x", count: 999) + "\n"
            for _ in 0..<100 { log.write(bytes(line)) }
            #expect(reasons.count == 1 && reasons[0].contains("No space left on device"), "\(reasons)")
            let lost = log.lostBytes
            let kept = try files(scratch).filter { $0 != "ballast" }.map { try text(scratch, $0) }
            #expect(kept.allSatisfy { $0.utf8.count % 1000 == 0 })
            #expect(Int(lost) == 100_000 - kept.joined().utf8.count)
            #expect(unlink(scratch.file("web/ballast")) == 0)
            log.write(bytes("again\n"))
            #expect(try text(scratch, "0.log").hasSuffix("again\n"))
            #expect(log.lostBytes == lost && reasons.count == 1)
        }
    }

    @Test func `A limit that is none is refused`() {
        #expect(LogLimit(fileBytes: 32 << 10, files: 2) != nil)
        #expect(LogLimit(fileBytes: (32 << 10) - 1, files: 2) == nil)
        #expect(LogLimit(fileBytes: 1 << 20, files: 1) == nil)
        #expect(LogLimit(fileBytes: .max, files: 2) == nil)
        #expect(throws: (any Error).self) {
            try RequestFrame.read(
                Array(
                    #"{"id":1,"verb":"create","container":"c","bundle":"/b","logDirectory":"/l","logPath":"0.log","logFileBytes":1,"logFiles":2}"#
                        .utf8))
        }
    }
}
