import Glibc
import JSON
import Linux
import OCISpec
import TestKit
import Testing

/// Images whose links and files lie in wait for the runtime: what it makes, mounts, opens or runs stays inside. Each says how
/// it was checked that it fails when the defence is taken out.
@Suite("Hostile images", .needs(.root, .programs, .busybox))
struct HostileImageTests {
    @Test("A container that makes exec run the runtime itself can't write its file")
    func keepsTheRuntime() async throws {
        // CVE-2019-5736, from inside. Checked: without start_from_readonly (entry.c) and sys_run_from_readonly the file is longer
        // afterwards.
        try await TestBundle.use { bundle in
            let program = bundle.scratch.file("runtime")
            try await Command(["cp", TestBundle.program, program]).run()
            let size = try FileStatus(program).size
            // The runtime, as a program of the container's, waits for somebody to read what it logs.
            try File.symlink("/proc/self/exe", bundle.rootfs + "/bin/evil")
            _ = try bundle.scratch.directory("bundle/rootfs/tmp")
            #expect(mkfifo(bundle.rootfs + "/tmp/log", 0o600) == 0)
            let copy = bundle
            async let attack = copy.run(script: HostileImageTests.overwriteRuntime)
            try await eventually("the attacker runs") {
                let state = try await bundle.oci("state", bundle.id)
                return state.output.contains("\"running\"")
            }
            let exec = [program, "--root", bundle.state, "exec", bundle.id, "/bin/evil", "--log", "/tmp/log"]
            let victim = try await Command(exec + ["state", "evil"]).run()
            #expect(victim.code == 128 + SIGKILL, "\(victim)")
            let said = try await attack
            #expect(said.output.contains("Read-only file system"), "\(said)")
            #expect(try FileStatus(program).size == size)
        }
    }

    /// Takes hold of the first program that isn't busybox, kills it and writes to its file once nobody runs it.
    private static let overwriteRuntime = """
        for turn in $(seq 500); do
            for process in /proc/[0-9]*; do
                case "$(readlink $process/exe)" in ""|*/busybox*) continue;; esac
                exec 9<$process/exe
                kill -9 ${process#/proc/}
                for again in $(seq 100); do
                    said=$( { echo overwritten >> /proc/self/fd/9; } 2>&1 )
                    case "$said" in *busy*) sleep 0.05; continue;; esac
                    echo "$said"
                    exit
                done
            done
            sleep 0.02
        done
        """

    @Test("A program that is a link through a forgotten descriptor isn't found", arguments: ["run", "create", "exec"])
    func findsNoProgramOutside(verb: String) async throws {
        // CVE-2024-21626. Checked: without ContainerDescriptors.closeOthers the host's busybox is found and runs.
        try await TestBundle.use { bundle in
            try File.symlink("/proc/self/fd/7/bin/busybox", bundle.rootfs + "/bin/tool")
            var words = "\(verb) --bundle \(bundle.path) \(bundle.id)"
            if verb == "exec" {
                try await bundle.startSleeper()
                words = "exec \(bundle.id) /bin/tool true"
            } else {
                bundle.spec.process?.args = ["/bin/tool", "true"]
                try bundle.write()
            }
            let script = "exec 7</; exec \(TestBundle.program) --root \(bundle.state) \(words)"
            let outcome = try await Command(["/bin/sh", "-c", script]).run()
            #expect(outcome.code != 0)
            #expect(outcome.errors.contains("stat /bin/tool: no such file or directory"), "\(outcome)")
        }
    }

    @Test("A working directory that is a preserved descriptor of the host's is refused", arguments: ["run", "exec"])
    func provesPreservedDirectory(verb: String) async throws {
        // CVE-2024-21626. Checked: without the look at getcwd the process stands in the host's /etc.
        try await TestBundle.use { bundle in
            let place = "/proc/self/fd/3"
            var words = "run --preserve-fds 1 --bundle \(bundle.path) \(bundle.id)"
            if verb == "exec" {
                try await bundle.startSleeper()
                words = "exec --preserve-fds 1 --cwd \(place) \(bundle.id) /bin/ls"
            } else {
                bundle.spec.process?.cwd = place
                bundle.spec.process?.args = ["/bin/ls"]
                try bundle.write()
            }
            let script = "exec 3</etc; exec \(TestBundle.program) --root \(bundle.state) \(words)"
            let outcome = try await Command(["/bin/sh", "-c", script]).run()
            #expect(outcome.code != 0)
            #expect(outcome.errors.contains("the working directory is outside of the container's root"), "\(outcome)")
        }
    }

    @Test("A mount's place that is swapped for a link meanwhile never leads out")
    func survivesSwaps() async throws {
        // CVE-2021-30465. Checked: with RootedPath resolving plainly the folder appears on the host.
        try await TestBundle.use { bundle in
            let outside = try bundle.scratch.directory("outside")
            let volume = try bundle.scratch.directory("volume")
            let source = try bundle.scratch.directory("source")
            _ = try bundle.scratch.directory("volume/place")
            try File.symlink(outside, volume + "/link")
            for (from, to) in [(volume, "/vol"), (source, "/vol/place/a/b/c")] {
                bundle.spec.mounts.append(OCISpec.Mount(destination: to, source: from, options: ["bind"]))
            }
            let swaps = """
                import ctypes, os
                libc = ctypes.CDLL(None)
                while os.getppid() == \(getpid()):
                    libc.renameat2(-100, b"\(volume)/place", -100, b"\(volume)/link", 2)
                """
            let null = try File.open("/dev/null", O_RDWR)
            let attacker = try Command(["python3", "-c", swaps]).start(output: null.raw, errors: null.raw)
            defer {
                kill(attacker, SIGKILL)
                _ = Command.wait(for: attacker)
            }
            var worked = 0
            for _ in 0..<40 {
                if try await bundle.run(script: "true").code == 0 { worked += 1 }
                for folder in ["place", "link"] { try? Directory.removeTree("\(volume)/\(folder)/a") }
                #expect(try Directory.names(outside).isEmpty)
            }
            #expect(worked > 0)
        }
    }

    /// What the runtime makes below `/mnt`, which the image has linked to a folder of the host's.
    enum Made: String, CaseIterable, Sendable {
        case bindOfFolder, bindOfFile, tmpfs, copiedTmpfs, device, workingDirectory, dev
    }

    @Test("Nothing is made, and nothing read, where a link of the image leads out", arguments: Made.allCases)
    func makesNothingOutside(made: Made) async throws {
        // CVE-2024-45310, CVE-2026-41579. Checked: with RootedPath resolving plainly each kind fails.
        try await TestBundle.use { bundle in
            let outside = try bundle.scratch.directory("outside")
            try bundle.scratch.write("outside/secret", "x")
            let source = try bundle.scratch.directory("source")
            try File.symlink(outside, bundle.rootfs + "/mnt")
            bundle.spec.root?.readonly = false
            switch made {
            case .bindOfFolder:
                bundle.spec.mounts.append(OCISpec.Mount(destination: "/mnt/a/b", source: source, options: ["bind"]))
            case .bindOfFile:
                bundle.spec.mounts.append(
                    OCISpec.Mount(destination: "/mnt/a", source: "/etc/hostname", options: ["bind"]))
            case .tmpfs:
                bundle.spec.mounts.append(OCISpec.Mount(destination: "/mnt/a/b", type: "tmpfs", source: "tmpfs"))
            case .copiedTmpfs:
                bundle.spec.mounts.append(
                    OCISpec.Mount(destination: "/mnt", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]))
            case .device:
                bundle.spec.linux { $0.devices = [LinuxDevice(path: "/mnt/null", type: "c", major: 1, minor: 3)] }
            case .workingDirectory: bundle.spec.process?.cwd = "/mnt/a"
            case .dev:
                bundle.spec.mounts.removeAll { $0.destination.hasPrefix("/dev") }
                rmdir(bundle.rootfs + "/dev")
                try File.symlink(outside, bundle.rootfs + "/dev")
            }
            let seen = try await bundle.output(of: "ls -R /mnt/ /dev/")
            #expect(!seen.contains("secret"), "\(seen)")
            #expect(try Directory.names(outside) == ["secret"])
        }
    }

    @Test("A path is masked by the host's null device when the container's /dev is a folder of somebody's")
    func masksBesideForeignDevices() async throws {
        // CVE-2025-31133. Checked: with the null device opened in the container's root the planted file is shown.
        try await TestBundle.use { bundle in
            try bundle.scratch.write("bundle/rootfs/etc/secret", "hidden")
            let devices = try bundle.scratch.directory("devices")
            try bundle.scratch.write("devices/null", "planted")
            bundle.spec.mounts.removeAll { $0.destination.hasPrefix("/dev") }
            bundle.spec.mounts.append(OCISpec.Mount(destination: "/dev", source: devices, options: ["bind"]))
            bundle.spec.linux { $0.maskedPaths = ["/etc/secret"] }
            #expect(try await bundle.output(of: "cat /etc/secret; stat -c %t:%T /etc/secret") == "1:3\n")
        }
    }

    @Test("What the image calls a pseudo terminal is none", arguments: ["file", "link"])
    func opensTheRealTerminal(kind: String) async throws {
        // CVE-2025-52565. Checked: without the look at the filesystem, and with links allowed, another reason is told.
        try await TestBundle.use { bundle in
            bundle.spec.mounts.removeAll { $0.destination.hasPrefix("/dev") }
            _ = try bundle.scratch.directory("bundle/rootfs/dev/pts")
            if kind == "file" {
                try bundle.scratch.write("bundle/rootfs/dev/pts/ptmx", "planted")
            } else {
                try File.symlink("/etc/planted", bundle.rootfs + "/dev/pts/ptmx")
                try bundle.scratch.write("bundle/rootfs/etc/planted", "planted")
            }
            bundle.spec.process?.terminal = true
            try await bundle.expectFailure(
                kind == "file" ? "open (not a pty) /dev/pts/ptmx" : "open /dev/pts/ptmx: Too many levels")
        }
    }

    @Test(
        "A link of the image doesn't lead a mount into /proc",
        arguments: ["/mnt", "/mnt/self", "/mnt/sys/kernel", "/mnt/self/../version"])
    func protectsLinkedProc(destination: String) async throws {
        // CVE-2019-16884. Checked: without MountStage.refuseProc the container starts with it.
        try await TestBundle.use { bundle in
            try File.symlink("/proc", bundle.rootfs + "/mnt")
            let folder = try bundle.scratch.directory("fake")
            let file = try bundle.scratch.write("file", "x")
            let isFile = destination.hasSuffix("version")
            var mounts = [OCISpec.Mount(destination: destination, source: isFile ? file : folder, options: ["bind"])]
            if !isFile {
                mounts.append(OCISpec.Mount(destination: destination, type: "tmpfs", source: "tmpfs"))
                mounts.append(OCISpec.Mount(destination: destination, type: "cgroup", source: "cgroup"))
            }
            let honest = bundle.spec.mounts
            for mount in mounts {
                bundle.spec.mounts = honest + [mount]
                try await bundle.expectFailure("open (is inside /proc, where nothing may be mounted) \(destination)")
            }
        }
    }

    @Test(
        "A sysctl isn't written where somebody covered it in the namespaces that are joined",
        arguments: [
            "mount --bind /proc/sys/kernel/shmall /proc/sys/kernel/shmmni",
            "mount -t tmpfs tmpfs /proc; mkdir -p /proc/sys/kernel; echo 7 > /proc/sys/kernel/shmmni",
        ])
    func provesSysctls(cover: String) async throws {
        // CVE-2025-52881. Checked: without noCrossMount, and without the filesystem's magic number, the container starts.
        try await TestBundle.use { bundle in
            let null = try File.open("/dev/null", O_RDWR)
            let ready = bundle.scratch.file("ready")
            let script = "\(cover); echo > \(ready); exec sleep 1000"
            let holder = try Command(["unshare", "--mount", "--ipc", "sh", "-c", script]).start(
                output: null.raw, errors: null.raw)
            defer {
                kill(holder, SIGKILL)
                _ = Command.wait(for: holder)
            }
            try await eventually("the trap is set") { File.exists(ready) }
            bundle.spec.mounts = []
            bundle.spec.hostname = nil
            bundle.spec.linux {
                $0.sysctl = ["kernel.shmmni": "1234"]
                $0.maskedPaths = []
                $0.readonlyPaths = []
                $0.namespaces = [
                    LinuxNamespace(type: .mount, path: "/proc/\(holder)/ns/mnt"),
                    LinuxNamespace(type: .ipc, path: "/proc/\(holder)/ns/ipc"),
                ]
            }
            try await bundle.expectFailure("linux.sysctl kernel.shmmni=1234: open")
        }
    }

    @Test("A passwd file that never begins, or is no file, holds nobody up", arguments: ["pipe", "device"])
    func boundsThePasswdFile(kind: String) async throws {
        // CVE-2020-8551's kind. Checked: without O_NONBLOCK and isRegular the pipe is waited for without end.
        try await TestBundle.use { bundle in
            let file = bundle.rootfs + "/etc/passwd"
            if kind == "pipe" {
                #expect(mkfifo(file, 0o644) == 0)
            } else {
                #expect(mknod(file, S_IFCHR | 0o644, 0x105) == 0)
            }
            let home = try await bundle.output(of: "echo $HOME")
            #expect(home == "/\n")
        }
    }
}
