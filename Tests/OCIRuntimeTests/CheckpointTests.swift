import Glibc
import JSON
import Linux
import OCISpec
import TestKit
import Testing

@testable import OCIRuntime

@Suite("Checkpoint and restore", .needs(.root, .programs, .busybox))
struct CheckpointTests {
    private func flags(_ words: [String], _ command: String = "checkpoint") throws -> Arguments.Flags {
        var arguments = Arguments(words)
        return try arguments.flags(of: #require(CommandSyntax.of(command)))
    }

    private func plan(_ bundle: TestBundle) throws -> LaunchPlan {
        var spec = bundle.spec
        spec.mounts.append(OCISpec.Mount(destination: "/mnt", source: "/srv/data", options: ["bind"]))
        spec.linux {
            $0.maskedPaths = ["/proc/kcore", "/sys/firmware"]
            $0.namespaces.removeAll { $0.type == .network }
            $0.namespaces.append(LinuxNamespace(type: .network, path: "/run/netns/x"))
        }
        return try LaunchPlan(spec, id: ContainerID(bundle.id), bundle: bundle.path) { _ in }
    }

    @Test("The call of criu says what is dumped, what comes from outside and what is allowed")
    func plansDump() async throws {
        try await TestBundle.use { bundle in
            let options = try CriuPlan.Options(
                flags([
                    "--image-path", "/i", "--work-path", "/w", "--tcp-established", "--ext-unix-sk", "--shell-job",
                    "--file-locks", "--leave-running", "--empty-ns", "network", "--manage-cgroups-mode", "full",
                    "--page-server", "10.0.0.1:99",
                ]), state: "/s")
            let call = CriuPlan.dump(
                try plan(bundle), pid: 42, options, freezer: "/f", isFile: { $0 == "/proc/kcore" }, inode: { _ in 77 })
            #expect(
                call.words == [
                    "dump", "--tree", "42", "--images-dir", "/i", "--work-dir", "/w", "--log-file", "dump.log", "-v4",
                    "--manage-cgroups=full", "--tcp-established", "--ext-unix-sk", "--shell-job", "--file-locks",
                    "--empty-ns", "net", "--root", bundle.rootfs, "--external", "mnt[/mnt]:/mnt",
                    "--external", "mnt[/proc/kcore]:/proc/kcore", "--external", "net[77]:extRootNetNS",
                    "--leave-running", "--freeze-cgroup", "/f", "--page-server", "--address", "10.0.0.1", "--port",
                    "99",
                ])
            let early = CriuPlan.dump(
                try plan(bundle), pid: 42, try CriuPlan.Options(flags(["--pre-dump"]), state: "/s"), freezer: nil,
                isFile: { _ in false }, inode: { _ in nil })
            #expect(early.words.first == "pre-dump")
            #expect(!early.words.contains("--external"))
            let back = CriuPlan.restore(
                try plan(bundle), root: "/r", pidFile: "/p", try CriuPlan.Options(flags([], "restore"), state: "/s"),
                streams: ["pipe:[5]", "", "pipe:[6]"], isFile: { $0 == "/proc/kcore" })
            #expect(
                back.words.suffix(16) == [
                    "--root", "/r", "--restore-detached", "--restore-sibling", "--pidfile", "/p", "--inherit-fd",
                    "fd[3]:extRootNetNS", "--external", "mnt[/mnt]:/srv/data", "--external",
                    "mnt[/proc/kcore]:/dev/null",
                    "--inherit-fd", "fd[0]:pipe:[5]", "--inherit-fd", "fd[2]:pipe:[6]",
                ])
            #expect(back.namespacePaths == ["/run/netns/x"])
        }
    }

    @Test("Flags that make no sense are named")
    func refusesFlags() throws {
        for (words, text) in [
            (["--parent-path", "/abs"], "--parent-path must be relative"),
            (["--parent-path", "none"], "invalid --parent-path"),
            (["--empty-ns", "mount"], "namespace \"mount\" is not supported"),
            (["--page-server", "10.0.0.1"], "Use --page-server ADDRESS:PORT"),
            (["--status-fd", "99"], "invalid --status-fd argument 99"),
            (["--manage-cgroups-mode", "x"], "invalid manage-cgroups-mode value: x"),
        ] {
            do throws(RuntimeError) {
                let flags: Arguments.Flags
                do { flags = try self.flags(words) } catch { throw RuntimeError("\(error)") }
                _ = try CriuPlan.Options(flags, state: "/s")
                Issue.record("\(words) were taken")
            } catch {
                #expect(error.description.contains(text), "\(error)")
            }
        }
    }

    @Test(
        "A criu that works: the container is gone after the dump, stays when it shall, and runs again after the restore"
    )
    func livesOn() async throws {
        try await TestBundle.use { bundle in
            let folder = try bundle.scratch.directory("path")
            let log = bundle.scratch.file("calls")
            // Kills what it "dumps", and starts a sleeper as what it "restores".
            try bundle.scratch.write(
                "path/criu",
                """
                #!/bin/sh
                echo "$@" >> \(log)
                verb=$1
                keep=no
                while [ $# -gt 0 ]; do
                    case $1 in
                        --tree) pid=$2 ;;
                        --leave-running) keep=yes ;;
                        --pidfile) file=$2 ;;
                    esac
                    shift
                done
                if [ $verb = restore ]; then sleep 1000 </dev/null >/dev/null 2>&1 & echo $! > $file; exit 0; fi
                [ $keep = yes ] || kill -9 $pid

                """)
            chmod(folder + "/criu", 0o755)
            let words = ["/usr/bin/env", "PATH=\(folder):/usr/bin:/bin", TestBundle.program, "--root", bundle.state]
            let images = bundle.scratch.file("images")
            try await bundle.startSleeper()
            let kept = try await Command(words + ["checkpoint", "--leave-running", "--image-path", images, bundle.id])
                .run()
            #expect(kept.code == 0, "\(kept.errors)")
            #expect(try await bundle.status() == "running")
            let streams = try JSONValue.parse(File.read(images + "/descriptors.json")).arrayValue
            #expect(streams?.count == 3)
            let gone = try await Command(words + ["checkpoint", "--image-path", images, bundle.id]).run()
            #expect(gone.code == 0, "\(gone.errors)")
            #expect(try await bundle.oci("state", bundle.id).code == 1)
            let pidFile = bundle.scratch.file("pid")
            let back = try await Command(
                words + [
                    "restore", "--detach", "--image-path", images, "--pid-file", pidFile, "--bundle", bundle.path,
                    bundle.id,
                ]
            ).run()
            #expect(back.code == 0, "\(back.errors)")
            #expect(try await bundle.status() == "running")
            #expect(try await bundle.pid() == pid_t(try File.readText(pidFile)))
            // What criu made lives in the container's cgroup.
            #expect(
                try File.readText("/proc/\(try await bundle.pid())/cgroup").contains("/kubesim-test/\(bundle.id)\n"))
            let calls = try File.readText(log)
            #expect(calls.contains("restore --images-dir \(images)"))
            let table = try MountInfo.all().filter { $0.mountPoint.hasPrefix(bundle.state) }
            #expect(table.isEmpty, "a mount for criu is left: \(table)")
            #expect(try await bundle.oci("delete", "--force", bundle.id).code == 0)
        }
    }

    @Test("A criu that fails is quoted, and the container goes on")
    func tellsFailure() async throws {
        try await TestBundle.use { bundle in
            try await bundle.startSleeper()
            let folder = try bundle.scratch.directory("path")
            let images = bundle.scratch.file("images")
            try bundle.scratch.write(
                "path/criu",
                "#!/bin/sh\nmkdir -p \(images)\necho '(00.1) Error (vdso.c:1): no table' > \(images)/dump.log\nexit 1\n"
            )
            chmod(folder + "/criu", 0o755)
            let words = ["/usr/bin/env", "PATH=\(folder):/usr/bin:/bin", TestBundle.program, "--root", bundle.state]
            let outcome = try await Command(words + ["checkpoint", "--image-path", images, bundle.id]).run()
            #expect(outcome.code == 1)
            #expect(
                outcome.errors.contains(
                    "criu dump failed (exit code 1): (00.1) Error (vdso.c:1): no table (log file: \(images)/dump.log)"),
                "\(outcome.errors)")
            #expect(try await bundle.status() == "running")
            try AtomicFile.write(images + "/descriptors.json", "[\"pipe:[1]]:x\", \"--evil\", 3]")
            let back = try await Command(
                words + ["restore", "--image-path", images, "--bundle", bundle.path, bundle.id + "-2"]
            ).run()
            #expect(back.code == 1)
            #expect(back.errors.contains("descriptors.json"), "\(back)")
        }
    }

    @Test("Debian's criu is called, and what it says is shown", .enabled(if: File.exists("/usr/sbin/criu")))
    func callsCriu() async throws {
        try await TestBundle.use { bundle in
            try await bundle.startSleeper()
            let images = bundle.scratch.file("images")
            let outcome = try await Command([
                "/usr/bin/env", "PATH=/usr/sbin:/usr/bin", TestBundle.program, "--root", bundle.state, "checkpoint",
                "--image-path", images, bundle.id,
            ]).run()
            if outcome.code != 0 {
                #expect(outcome.errors.contains("criu dump failed"), "\(outcome)")
                // What fails is criu's business with the kernel, not the way it was called.
                #expect(!outcome.errors.contains("unrecognized option"), "\(outcome)")
                #expect(try await bundle.status() == "running")
            }
        }
    }
}
