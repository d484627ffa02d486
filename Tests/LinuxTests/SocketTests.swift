import Glibc
import Linux
import TestKit
import Testing

@Suite("Unix sockets")
struct SocketTests {
    @Test("A path longer than sun_path works, and the socket has the mode asked for")
    func takesLongPaths() async throws {
        try await Scratch.use { scratch in
            let folder = try scratch.directory(String(repeating: "very-long-name/", count: 12) + "end")
            let path = folder + "/socket"
            let server = try UnixSocket.listen(at: path, .sequencedPacket)
            #expect(try FileStatus(path).permissions == 0o600)
            let client = try UnixSocket.connect(to: path, .sequencedPacket)
            let accepted = try server.accept()
            #expect(try accepted.peer().pid == getpid())
            #expect(try accepted.peer().uid == getuid())
            try client.send(Array("one".utf8))
            try client.send(Array("two".utf8))
            #expect(try accepted.receive().bytes == Array("one".utf8))
            #expect(try accepted.receive().bytes == Array("two".utf8))
        }
    }

    @Test("Descriptors travel, close-on-exec")
    func passesDescriptors() async throws {
        try await Scratch.use { scratch in
            try scratch.write("file", "content")
            let file = try File.open(scratch.file("file"))
            let pair = try UnixSocket.pair(.sequencedPacket)
            try pair.first.send([1], descriptors: [file.raw])
            var message = try pair.second.receive(mostDescriptors: 1)
            guard let passed = message.takeDescriptor() else {
                Issue.record("nothing came")
                return
            }
            #expect(try passed.readAll() == Array("content".utf8))
            #expect(fcntl(passed.raw, F_GETFD) & FD_CLOEXEC != 0)
        }
    }

    @Test("More bytes or descriptors than there is room for are an error, and nothing stays open")
    func refusesTooMuch() throws {
        // Checked: without the look at MSG_TRUNC and MSG_CTRUNC the cut message is received.
        let pair = try UnixSocket.pair(.sequencedPacket)
        try pair.first.send([UInt8](repeating: 1, count: 100))
        let long = Result { () throws(SystemError) in _ = try pair.second.receive(limit: 99) }
        guard case .failure(let error) = long else {
            Issue.record("received")
            return
        }
        #expect(error.errno == .messageSize)
        try pair.first.send([1], descriptors: [0, 0])
        #expect(throws: SystemError.self) { _ = try pair.second.receive(mostDescriptors: 1) }
    }
}
