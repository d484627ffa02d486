import CLinux
import Glibc
import JSON
import Linux
import OCISpec
import TestKit
import Testing

@testable import OCIRuntime

@Suite("Service managers: sockets handed over and readiness told", .needs(.root, .programs, .busybox))
struct NotifyTests {
    @Test("Descriptors of a socket activation are the program's from 3 on, before the preserved ones")
    func handsSocketsOver() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.process?.args = [
                "/bin/sh", "-c", "echo $LISTEN_FDS $LISTEN_PID; cat <&3; cat <&4; ls /proc/self/fd | wc -l",
            ]
            try bundle.write()
            let first = try bundle.scratch.write("first", "one\n")
            let second = try bundle.scratch.write("second", "two\n")
            let run = "exec \(TestBundle.program) --root \(bundle.state) run --preserve-fds 1 --bundle \(bundle.path)"
            let script = "exec 3<\(first) 4<\(second) 9</; export LISTEN_FDS=1 LISTEN_PID=$$; \(run) \(bundle.id)"
            let outcome = try await Command(["/bin/sh", "-c", script]).run()
            // ls has the folder open itself.
            #expect(outcome.output == "1 1\none\ntwo\n6\n", "\(outcome)")
            // Those of somebody else are nobody's here.
            let stranger = script.split(separator: ";").joined(separator: ";").replacing(
                "LISTEN_PID=$$", with: "LISTEN_PID=1")
            let other = try await Command(["/bin/sh", "-c", stranger]).run()
            #expect(other.output.hasPrefix("\n"), "\(other)")
        }
    }

    @Test("A preserved descriptor that isn't open is refused: the runtime's own would take its number")
    func refusesMissingDescriptors() async throws {
        // CVE-2024-21626. Checked: without the look in Commands.preserved the container starts, with descriptors of the runtime's.
        try await TestBundle.use { bundle in
            bundle.spec.process?.args = ["/bin/ls", "-l", "/proc/self/fd"]
            try bundle.write()
            let outcome = try await bundle.oci("run", "--preserve-fds", "9", "--bundle", bundle.path, bundle.id)
            #expect(outcome.code == 1)
            #expect(outcome.errors.contains("--preserve-fds 9: descriptor"), "\(outcome)")
        }
    }

    @Test(
        "READY=1 from inside reaches the manager with the container's pid, from start and from run",
        arguments: ["start", "run"])
    func tellsReadiness(verb: String) async throws {
        try await TestBundle.use { bundle in
            let path = bundle.scratch.file("manager")
            let manager = try UnixSocket(.datagram)
            try check(sys_unix_bind(manager.descriptor.raw, path), "bind")
            try bundle.write()
            let probe = try bundle.compileNotifier()
            bundle.spec.process?.args = [probe]
            try bundle.write()
            let environment = ["/usr/bin/env", "NOTIFY_SOCKET=\(path)", TestBundle.program, "--root", bundle.state]
            var pid: pid_t = 0
            if verb == "start" {
                let created = try await Command(environment + ["create", "--bundle", bundle.path, bundle.id]).run()
                #expect(created.code == 0, "\(created.errors)")
                pid = try await bundle.pid()
            }
            let words = verb == "start" ? ["start", bundle.id] : ["run", "-d", "--bundle", bundle.path, bundle.id]
            let copy = bundle
            async let outcome = Command(environment + words).run()
            let ready = try manager.receive()
            #expect(String(decoding: ready.bytes, as: UTF8.self) == "READY=1\n")
            let main = try manager.receive()
            if verb == "run" { pid = try await copy.pid() }
            #expect(String(decoding: main.bytes, as: UTF8.self) == "MAINPID=\(pid)\n")
            // Taken and closed at once, as systemd does.
            let barrier = try manager.receive(mostDescriptors: 1)
            #expect(String(decoding: barrier.bytes, as: UTF8.self) == "BARRIER=1")
            #expect(barrier.descriptorCount == 1)
            _ = consume barrier
            #expect(try await outcome.code == 0)
        }
    }
}

extension TestBundle {
    /// A program in the root that says READY=1 to $NOTIFY_SOCKET and sleeps: busybox has nothing that sends datagrams to a
    /// Unix socket.
    func compileNotifier() throws -> String {
        let source = try scratch.write(
            "notifier.c",
            """
            #include <stdlib.h>
            #include <string.h>
            #include <sys/socket.h>
            #include <sys/un.h>
            #include <unistd.h>
            int main(void) {
                struct sockaddr_un to = {.sun_family = AF_UNIX};
                strncpy(to.sun_path, getenv("NOTIFY_SOCKET"), sizeof(to.sun_path) - 1);
                int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
                sendto(fd, "STATUS=x\\n", 9, 0, (struct sockaddr *)&to, sizeof(to));
                sendto(fd, "READY=1\\n", 8, 0, (struct sockaddr *)&to, sizeof(to));
                sleep(1000);
            }

            """)
        try compile(source, to: "/bin/notifier")
        return "/bin/notifier"
    }

    /// A static C program in the root.
    func compile(_ source: String, to path: String) throws {
        let outcome = try Command(["cc", "-static", "-O1", "-o", rootfs + path, source]).runBlocking()
        try #require(outcome.code == 0, "\(outcome.errors)")
    }
}
