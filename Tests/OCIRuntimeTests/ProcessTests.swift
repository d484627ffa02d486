import Glibc
import JSON
import Linux
import OCISpec
import TestKit
import Testing

@testable import OCIRuntime

@Suite("The process is as the configuration says", .needs(.root, .programs, .busybox))
struct ProcessTests {
    @Test("User, groups and umask")
    func becomesTheUser() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.process?.user = User(uid: 1000, gid: 2000, umask: 0o077, additionalGids: [30, 40])
            let output = try await bundle.output(of: "id -u; id -g; id -G; umask")
            #expect(output == "1000\n2000\n2000 30 40\n0077\n")
        }
    }

    @Test(
        "The five sets of capabilities are exactly those named, for root and for others", arguments: [UInt32(0), 1000])
    func setsCapabilities(uid: UInt32) async throws {
        try await TestBundle.use { bundle in
            bundle.spec.process {
                $0.user.uid = uid
                $0.capabilities = LinuxCapabilities(
                    bounding: ["CAP_CHOWN", "CAP_KILL"], effective: ["CAP_CHOWN"], inheritable: ["CAP_CHOWN"],
                    permitted: ["CAP_CHOWN"], ambient: ["CAP_CHOWN"])
            }
            let status = try await bundle.output(of: "grep Cap /proc/self/status")
            #expect(status.contains("CapInh:\t0000000000000001"))
            #expect(status.contains("CapBnd:\t0000000000000021"))
            #expect(status.contains("CapAmb:\t0000000000000001"))
            #expect(status.contains("CapEff:\t0000000000000001"), "\(status)")
        }
    }

    @Test("Nothing is inheritable unless it is asked for")
    func inheritsNothing() async throws {
        // CVE-2022-29162. Checked: with the permitted set as inheritable one, this fails.
        try await TestBundle.use { bundle in
            let none = "CapInh:\t0000000000000000\nCapAmb:\t0000000000000000\n"
            #expect(try await bundle.output(of: "grep -E 'CapInh|CapAmb' /proc/self/status") == none)
            try await bundle.startSleeper()
            let words = ["exec", "--cap", "CAP_NET_ADMIN", bundle.id, "/bin/grep", "-E", "CapInh|CapAmb"]
            let command = [TestBundle.program, "--root", bundle.state] + words + ["/proc/self/status"]
            #expect(try await Command(command).run().output == none)
        }
    }

    @Test("A capability that can't be given is left out, with one warning; the rest is given")
    func leavesOutWhatItLacks() throws {
        var warnings: [String] = []
        let names = ["CAP_CHOWN", "CAP_SYS_RESOURCE", "CAP_MAGIC"]
        let chown = try #require(CapabilitySet(name: "CAP_CHOWN"))
        let process = OCISpec.Process(
            args: ["true"], capabilities: LinuxCapabilities(bounding: names, effective: names, permitted: names))
        let plan = try ProcessPlan(process, grantable: chown) { warnings.append($0) }
        #expect(plan.capabilities == ProcessPlan.Capabilities(bounding: chown, effective: chown, permitted: chown))
        #expect(
            warnings == ["CAP_SYS_RESOURCE", "CAP_MAGIC"].map { "ignoring unknown or unavailable capability: \($0)" })
    }

    @Test("no_new_privs", arguments: [true, false])
    func setsNoNewPrivileges(on: Bool) async throws {
        try await TestBundle.use { (bundle: inout TestBundle) async throws in
            bundle.spec.process?.noNewPrivileges = on
            #expect(try await bundle.output(of: "grep NoNewPrivs /proc/self/status") == "NoNewPrivs:\t\(on ? 1 : 0)\n")
        }
    }

    @Test("Resource limits, and a clear word where the host allows no more")
    func setsLimits() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.process?.rlimits = [
                POSIXRlimit(type: "RLIMIT_NOFILE", hard: 777, soft: 555),
                POSIXRlimit(type: "RLIMIT_CORE", hard: 0, soft: 0),
            ]
            #expect(try await bundle.output(of: "ulimit -n; ulimit -Hn; ulimit -c") == "555\n777\n0\n")
            bundle.spec.process?.rlimits = [POSIXRlimit(type: "RLIMIT_NOSUCH", hard: 1, soft: 1)]
            try await bundle.expectFailure("RLIMIT_NOSUCH")
        }
    }

    @Test("An oom_score_adj that can't be lowered stays, with a warning; one that can be raised is raised")
    func adjustsOOMScore() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.process?.oomScoreAdj = 500
            #expect(try await bundle.output(of: "cat /proc/self/oom_score_adj") == "500\n")
            bundle.spec.process?.oomScoreAdj = -999
            let outcome = try await bundle.run(script: "cat /proc/self/oom_score_adj")
            #expect(outcome.code == 0)
            #expect(outcome.output == "-999\n" || outcome.errors.contains("CAP_SYS_RESOURCE"), "\(outcome)")
        }
    }

    @Test("HOME comes from the container's passwd file when the configuration has none")
    func findsHome() async throws {
        try await TestBundle.use { bundle in
            try bundle.scratch.write(
                "bundle/rootfs/etc/passwd", "root:x:0:0::/r:/bin/sh\nu:x:1000:1000::/home/u:/bin/sh\n")
            bundle.spec.process?.user.uid = 1000
            #expect(try await bundle.output(of: "echo $HOME") == "/home/u\n")
            // The last value counts, be it empty, and each name is there once.
            bundle.spec.process?.env += ["HOME=/old", "HOME=", "A=1", "A=2"]
            #expect(
                try await bundle.output(of: "echo $HOME; env | grep -c -e ^HOME -e ^A; echo $A") == "/home/u\n2\n2\n")
            bundle.spec.process?.env.append("HOME=/own")
            #expect(try await bundle.output(of: "echo $HOME") == "/own\n")
        }
    }

    @Test("A working directory that is missing is made")
    func makesWorkingDirectory() async throws {
        try await TestBundle.use { (bundle: inout TestBundle) async throws in
            bundle.spec.process?.cwd = "/new/place"
            #expect(try await bundle.output(of: "pwd") == "/new/place\n")
        }
    }

    @Test("A program that isn't there fails create, and names it")
    func failsEarly() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.process?.args = ["nosuch"]
            try await bundle.expectFailure("exec: \"nosuch\": executable file not found in $PATH")
            bundle.spec.process?.args = ["/etc/nosuch"]
            try await bundle.expectFailure("stat /etc/nosuch: no such file or directory")
            try bundle.scratch.write("bundle/rootfs/etc/plain", "no program")
            bundle.spec.process?.args = ["/etc/plain"]
            try await bundle.expectFailure("exec: \"/etc/plain\": permission denied")
        }
    }

    @Test("A program that only its capabilities make executable is found")
    func findsWithCapabilities() async throws {
        try await TestBundle.use { bundle in
            chmod(bundle.rootfs + "/bin", 0o700)
            bundle.spec.process?.user.uid = 1000
            try await bundle.expectFailure("permission denied")
            bundle.spec.process?.capabilities?.effective.append("CAP_DAC_OVERRIDE")
            bundle.spec.process?.capabilities?.permitted.append("CAP_DAC_OVERRIDE")
            bundle.spec.process?.capabilities?.bounding.append("CAP_DAC_OVERRIDE")
            bundle.spec.process?.capabilities?.inheritable.append("CAP_DAC_OVERRIDE")
            bundle.spec.process?.capabilities?.ambient.append("CAP_DAC_OVERRIDE")
            #expect(try await bundle.output(of: "echo found") == "found\n")
        }
    }

    @Test("What the kernel refuses to execute is start's failure")
    func reportsExecFailure() async throws {
        try await TestBundle.use { bundle in
            try bundle.scratch.write("bundle/rootfs/bin/garbage", "\u{1}\u{2}\u{3}")
            chmod(bundle.rootfs + "/bin/garbage", 0o755)
            bundle.spec.process?.args = ["/bin/garbage"]
            try bundle.write()
            #expect(try await bundle.oci("create", "--bundle", bundle.path, bundle.id).code == 0)
            let outcome = try await bundle.oci("start", bundle.id)
            #expect(outcome.code == 1)
            // The line is about the program alone, as a shell's would be.
            #expect(outcome.errors == "exec /bin/garbage: exec format error\n")
            try await bundle.waitStopped()
            #expect(try await bundle.oci("delete", bundle.id).code == 0)
            try await bundle.expectFailure("exec /bin/garbage: exec format error\n")
        }
    }
}
