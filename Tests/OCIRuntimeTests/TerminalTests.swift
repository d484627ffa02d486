import Glibc
import JSON
import Linux
import OCISpec
import TestKit
import Testing

/// The console socket brought nothing.
private struct NoTerminal: Error {}

@Suite("The terminal", .needs(.root, .programs, .busybox))
struct TerminalTests {
    /// Reads until `text` has come.
    private func read(_ terminal: borrowing Descriptor, until text: String) async throws -> String {
        try terminal.setNonBlocking(true)
        var all = ""
        let deadline = ContinuousClock.now + .seconds(30)
        while !all.contains(text), ContinuousClock.now < deadline {
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = Glibc.read(terminal.raw, &buffer, buffer.count)
            if count > 0 {
                all += String(decoding: buffer[..<count], as: UTF8.self)
            } else {
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        return all
    }

    @Test("The console socket receives the pty's master; inside it is the controlling terminal and /dev/console")
    func sendsTheMaster() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.process {
                $0.terminal = true
                $0.consoleSize = Box(height: 33, width: 77)
                $0.user.uid = 1000
                $0.args = [
                    "/bin/sh", "-c",
                    "tty; stty size; test -c /dev/console && echo console; stat -c %u /dev/pts/0; echo ready; read line; echo got $line",
                ]
            }
            try bundle.write()
            // Longer than sun_path.
            let folder = try bundle.scratch.directory(String(repeating: "long/", count: 25) + "end")
            let socket = try UnixSocket.listen(at: folder + "/console", .stream)
            let created = try await bundle.oci(
                "create", "--bundle", bundle.path, "--console-socket", folder + "/console", bundle.id)
            #expect(created.code == 0, "\(created.errors)")
            var message = try socket.accept().receive(limit: 64, mostDescriptors: 1)
            guard let master = message.takeDescriptor() else { throw NoTerminal() }
            #expect(try await bundle.oci("start", bundle.id).code == 0)
            let seen = try await read(master, until: "ready")
            #expect(seen == "/dev/pts/0\r\n33 77\r\nconsole\r\n1000\r\nready\r\n", "\(seen.debugDescription)")
            try master.writeAll("typed\n")
            #expect(try await read(master, until: "got").contains("got typed\r\n"))
        }
    }

    @Test("exec gets a terminal of its own")
    func execTerminal() async throws {
        try await TestBundle.use { bundle in
            try await bundle.startSleeper()
            let path = bundle.scratch.file("console")
            let socket = try UnixSocket.listen(at: path, .stream)
            let outcome = try await bundle.oci(
                "exec", "--tty", "--detach", "--console-socket", path, bundle.id, "sh", "-c",
                "tty; echo done; sleep 1000")
            #expect(outcome.code == 0, "\(outcome.errors)")
            var message = try socket.accept().receive(limit: 64, mostDescriptors: 1)
            guard let master = message.takeDescriptor() else { throw NoTerminal() }
            #expect(try await read(master, until: "done") == "/dev/pts/0\r\ndone\r\n")
        }
    }

    @Test("run in the foreground carries the terminal's bytes itself")
    func proxies() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.process?.terminal = true
            bundle.spec.process?.args = ["/bin/sh", "-c", "tty; echo last words; exit 5"]
            let outcome = try await bundle.run()
            #expect(outcome.code == 5, "\(outcome.errors)")
            #expect(outcome.output == "/dev/pts/0\nlast words\n")
        }
    }

    @Test("A terminal without a place to go, and a place without a terminal, are errors")
    func refusesMismatch() async throws {
        try await TestBundle.use { bundle in
            try bundle.write()
            let surplus = try await bundle.oci("create", "--bundle", bundle.path, "--console-socket", "/x", bundle.id)
            #expect(surplus.errors.contains("--console-socket is only for a process with a terminal"))
            bundle.spec.process?.terminal = true
            try bundle.write()
            let missing = try await bundle.oci("create", "--bundle", bundle.path, bundle.id)
            #expect(
                missing.errors.contains("cannot allocate tty if the runtime will detach without setting console socket")
            )
            let nowhere = try await bundle.oci("create", "--bundle", bundle.path, "--console-socket", "/x/y", bundle.id)
            #expect(nowhere.errors.contains("console socket: open /x: No such file or directory"), "\(nowhere.errors)")
        }
    }
}
