import Glibc
import JSON
import Linux
import OCISpec
import TestKit
import Testing

@Suite("exec", .needs(.root, .programs, .busybox))
struct ExecTests {
    @Test("A command runs in the container's namespaces and cgroups, and its code comes back")
    func runsInside() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.hostname = "inner"
            try await bundle.startSleeper()
            let outcome = try await bundle.oci("exec", bundle.id, "sh", "-c", "hostname; cat /proc/1/cmdline; exit 9")
            #expect(outcome.output == "inner\n/bin/sleep\u{0}1000\u{0}")
            #expect(outcome.code == 9)
            let init_ = try await bundle.oci("exec", bundle.id, "cat", "/proc/1/cgroup").output
            let own = try await bundle.oci("exec", bundle.id, "cat", "/proc/self/cgroup").output
            #expect(init_ == own)
        }
    }

    @Test("Flags choose user, folder and environment")
    func takesFlags() async throws {
        try await TestBundle.use { bundle in
            try await bundle.startSleeper()
            let outcome = try await bundle.oci(
                "exec", "--user", "1000:2000", "--additional-gids", "30", "--cwd", "/tmp", "--env", "A=b c", bundle.id,
                "sh", "-c", "id -u; id -g; id -G; pwd; echo $A")
            #expect(outcome.output == "1000\n2000\n2000 30\n/tmp\nb c\n", "\(outcome.errors)")
        }
    }

    @Test("A process can come from a file")
    func takesFiles() async throws {
        try await TestBundle.use { bundle in
            try await bundle.startSleeper()
            let process = OCISpec.Process(args: ["/bin/sh", "-c", "echo $X; id -u"], env: ["X=y"], cwd: "/")
            let file = try bundle.scratch.write("process.json", String(decoding: process.encoded(), as: UTF8.self))
            #expect(try await bundle.oci("exec", "--process", file, bundle.id).output == "y\n0\n")
        }
    }

    @Test("What can't be run says why, as engines expect it")
    func namesMissingPrograms() async throws {
        try await TestBundle.use { bundle in
            try await bundle.startSleeper()
            for (program, text) in [
                ("nosuch", "exec: \"nosuch\": executable file not found in $PATH"),
                ("/nosuch", "exec: \"/nosuch\": stat /nosuch: no such file or directory"),
                ("/etc", "exec: \"/etc\": is a directory"),
            ] {
                let outcome = try await bundle.oci("exec", bundle.id, program)
                #expect(outcome.code != 0)
                #expect(outcome.errors == "kubesim-oci exec failed: \(text)\n")
            }
        }
    }

    @Test("A detached command goes on, and its pid is written")
    func detaches() async throws {
        try await TestBundle.use { bundle in
            try await bundle.startSleeper()
            let file = bundle.scratch.file("pid")
            #expect(try await bundle.oci("exec", "-d", "--pid-file", file, bundle.id, "sleep", "999").code == 0)
            let pid = try #require(pid_t(try File.readText(file)))
            #expect(try File.readText("/proc/\(pid)/cmdline") == "sleep\u{0}999\u{0}")
            #expect(try await bundle.oci("ps", "-f", "json", bundle.id).output.contains("\(pid)"))
        }
    }

    @Test("A stopped container takes no commands")
    func refusesStopped() async throws {
        try await TestBundle.use { bundle in
            try await bundle.startSleeper()
            #expect(try await bundle.oci("kill", bundle.id, "9").code == 0)
            try await bundle.waitStopped()
            #expect(try await bundle.oci("exec", bundle.id, "true").errors.contains("stopped container"))
        }
    }

    @Test("exec reaches a container in a user namespace, with the container's ids")
    func entersUserNamespaces() async throws {
        try await TestBundle.use { bundle in
            bundle.useUserNamespace()
            try await bundle.startSleeper()
            let outcome = try await bundle.oci("exec", bundle.id, "sh", "-c", "id -u; cat /proc/self/uid_map")
            #expect(outcome.code == 0, "\(outcome.errors)")
            #expect(outcome.output.hasPrefix("0\n"))
            #expect(outcome.output.contains("100000"))
        }
    }
}

extension TestBundle {
    /// Root of the container is 100000 on the host.
    mutating func useUserNamespace() {
        spec.linux {
            $0.namespaces.append(LinuxNamespace(type: .user))
            $0.uidMappings = [LinuxIDMapping(containerID: 0, hostID: 100_000, size: 65536)]
            $0.gidMappings = [LinuxIDMapping(containerID: 0, hostID: 100_000, size: 65536)]
        }
        for name in ["", "/proc", "/dev", "/sys", "/tmp", "/etc"] { chown(rootfs + name, 100_000, 100_000) }
        // The scratch directory is 0700, and the container's root must get through it.
        chmod(scratch.path, 0o711)
    }
}
