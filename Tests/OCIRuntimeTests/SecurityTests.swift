import FoundationEssentials
import Glibc
import JSON
import Linux
import OCISpec
import TestKit
import Testing

/// One hostile root filesystem or configuration for each class of attack that broke a runtime before. Each says how it was
/// checked that it fails when the defence is taken out.
@Suite("Hostile containers", .needs(.root, .programs, .busybox))
struct SecurityTests {
    @Test("The runtime's own file can't be written through the container's first process")
    func protectsOwnProgram() async throws {
        // CVE-2019-5736. Checked: with start_from_readonly (entry.c) and sys_run_from_readonly doing nothing the file is opened
        // for writing.
        try await TestBundle.use { bundle in
            try bundle.write()
            // A file of its own: a program that others run meanwhile is busy, whatever its mount.
            let program = bundle.scratch.file("runtime")
            try await Command(["cp", TestBundle.program, program]).run()
            let create = [program, "--root", bundle.state, "create", "--bundle", bundle.path, bundle.id]
            #expect(try await Command(create).run().code == 0)
            let held = try File.open("/proc/\(try await bundle.pid())/exe", OpenFlag.path)
            #expect(try FilesystemStatistics(of: held).flags & 1 == 1)
            #expect(try await bundle.oci("delete", "--force", bundle.id).code == 0)
            // Nobody runs it any more: only the read-only mount is in the way.
            let opened = Result { () throws(SystemError) in _ = try File.open("/proc/self/fd/\(held.raw)", O_WRONLY) }
            guard case .failure(let error) = opened else {
                Issue.record("the program's file can be written")
                return
            }
            #expect(error.errno == .readOnly)
        }
    }

    @Test("A crash of the runtime runs no program of the working directory")
    func runsNoBacktracer() async throws {
        // Checked: with Swift's own environment left in place (startup.c) the program has run.
        try await TestBundle.use { bundle in
            bundle.spec.process?.args = ["sleep", "100"]
            try bundle.write()
            let trace = bundle.scratch.file("trace")
            let folder = try bundle.scratch.directory("here")
            try bundle.scratch.write("here/swift-backtrace", "#!/bin/sh\necho ran > \(trace)\n")
            chmod(folder + "/swift-backtrace", 0o755)
            let run =
                "cd \(folder) && \(TestBundle.program) --root \(bundle.state) run --bundle \(bundle.path) \(bundle.id)"
            let state = "\(TestBundle.program) --root \(bundle.state) state \(bundle.id) 2>/dev/null"
            let script = """
                \(run) &
                runtime=$!
                for turn in $(seq 500); do \(state) | grep -q running && break; sleep 0.02; done
                kill -SEGV $runtime
                for turn in $(seq 500); do kill -0 $runtime 2>/dev/null && ! [ -e \(trace) ] || break; sleep 0.02; done
                kill -KILL $runtime 2>/dev/null
                wait $runtime
                echo $?
                """
            let said = try await Command(["/bin/sh", "-c", script]).run()
            #expect(said.output.hasSuffix("\(128 + SIGSEGV)\n"), "\(said)")
            #expect(!File.exists(trace))
            #expect(try await bundle.oci("delete", "--force", bundle.id).code == 0)
        }
    }

    @Test("The init can't be looked into from inside, not even by root's hooks", arguments: [false, true])
    func hidesTheInit(mapped: Bool) async throws {
        // CVE-2016-9962. Checked: without PR_SET_DUMPABLE the hook reads where the runtime's file lies;
        // in a user namespace the kernel takes the flag away by itself.
        try await TestBundle.use { bundle in
            if mapped { bundle.useUserNamespace() }
            bundle.spec.root?.readonly = false
            let spy = "readlink /proc/1/exe > /tmp/seen; echo $? >> /tmp/seen"
            bundle.spec.hooks = Hooks()
            bundle.spec.hooks?.startContainer = [Hook(path: "/bin/sh", args: ["sh", "-c", spy])]
            let seen = try await bundle.output(of: "cat /tmp/seen")
            #expect(seen == "1\n")
        }
    }

    @Test("No descriptor of the host's reaches the program, not even one that the caller forgot")
    func leaksNoDescriptor() async throws {
        // CVE-2024-21626. Checked: without closeOthers and close_range the forgotten descriptors are listed.
        try await TestBundle.use { bundle in
            bundle.spec.process?.args = ["/bin/ls", "/proc/self/fd"]
            try bundle.write()
            let script =
                "exec 7</ 9</etc; exec \(TestBundle.program) --root \(bundle.state) run --bundle \(bundle.path) \(bundle.id)"
            let outcome = try await Command(["/bin/sh", "-c", script]).run()
            // ls itself has the folder open.
            #expect(outcome.output == "0\n1\n2\n3\n", "\(outcome)")
        }
    }

    @Test("A container that waits for its start holds nothing of the caller's open, and no file of the host's")
    func waitsWithoutDescriptors() async throws {
        // CVE-2024-21626. Checked: without ContainerDescriptors.closeOthers both folders are held.
        try await TestBundle.use { bundle in
            try bundle.write()
            let create = "\(TestBundle.program) --root \(bundle.state) create --bundle \(bundle.path) \(bundle.id)"
            let outcome = try await Command(["/bin/sh", "-c", "exec 7</ 9</etc; exec \(create)"]).run()
            #expect(outcome.code == 0, "\(outcome)")
            let folder = "/proc/\(try await bundle.pid())/fd"
            for name in try Directory.names(folder) where (Int32(name) ?? 0) > 2 {
                #expect(try File.readLink("\(folder)/\(name)").hasPrefix("socket:"), "\(name)")
            }
        }
    }

    @Test("A working directory never leads to the host through a forgotten descriptor", arguments: 3...16)
    func provesWorkingDirectory(number: Int) async throws {
        // CVE-2024-21626. Checked: without closeOthers and the look at getcwd 7 and 9 lead to the host.
        try await TestBundle.use { bundle in
            bundle.spec.process?.cwd = "/proc/self/fd/\(number)"
            bundle.spec.process?.args = ["/bin/ls", "../../../../.."]
            try bundle.write()
            let script =
                "exec 7</ 9</; exec \(TestBundle.program) --root \(bundle.state) run --bundle \(bundle.path) \(bundle.id)"
            let outcome = try await Command(["/bin/sh", "-c", script]).run()
            // A number of the runtime's own may name the container's root, which is harmless.
            let harmless = outcome.code == 0 && outcome.output == "bin\ndev\netc\nproc\nsys\ntmp\n"
            #expect(harmless || outcome.errors.contains("process.cwd"), "\(outcome)")
        }
    }

    @Test("A mount's place that is a link out of the root stays inside it", arguments: ["/mnt", "/mnt/sub/deep"])
    func mountsInside(destination: String) async throws {
        // CVE-2021-30465, CVE-2024-45310. Checked: with RootedPath resolving plainly the folder appears on the host.
        try await TestBundle.use { bundle in
            let outside = try bundle.scratch.directory("outside")
            let source = try bundle.scratch.directory("source")
            try bundle.scratch.write("source/marker", "x")
            try File.symlink(outside, bundle.rootfs + "/mnt")
            bundle.spec.mounts.append(OCISpec.Mount(destination: destination, source: source, options: ["rbind"]))
            #expect(try await bundle.output(of: "cat \(destination)/marker") == "x")
            #expect(try Directory.names(outside).isEmpty)
        }
    }

    @Test("A link that climbs is as harmless as an absolute one")
    func resolvesClimbingLinks() async throws {
        // CVE-2024-45310. Checked: with RootedPath resolving plainly the file appears on the host.
        try await TestBundle.use { bundle in
            let outside = try bundle.scratch.directory("outside")
            try File.symlink("../../../../../../../../../.." + outside, bundle.rootfs + "/mnt")
            bundle.spec.mounts.append(
                OCISpec.Mount(destination: "/mnt/file", source: "/etc/hostname", options: ["bind"]))
            _ = try await bundle.output(of: "cat /mnt/file")
            #expect(try Directory.names(outside).isEmpty)
        }
    }

    @Test("A path is masked by the true null device, whatever the image calls /dev/null")
    func masksWithTheRealNull() async throws {
        // CVE-2025-31133. Checked: without isDevice, and with the container's /dev/null, the container starts.
        try await TestBundle.use { bundle in
            try bundle.scratch.write("bundle/rootfs/etc/secret", "hidden")
            try bundle.scratch.write("bundle/rootfs/dev/null", "planted")
            bundle.spec.mounts.removeAll { $0.destination.hasPrefix("/dev") }
            bundle.spec.linux {
                $0.maskedPaths = ["/etc/secret"]
                $0.devices = []
            }
            let outcome = try await bundle.run(script: "cat /etc/secret")
            // The node can't be made over the planted file: refused, and nothing was shown.
            #expect(outcome.code == 1)
            #expect(outcome.errors.contains("device /dev/null: mknod (something else is there) /dev/null: File exists"))
            unlink(bundle.rootfs + "/dev/null")
            try File.symlink("/etc/secret", bundle.rootfs + "/etc/alias")
            bundle.spec.linux { $0.maskedPaths = ["/etc/alias"] }
            #expect(try await bundle.output(of: "cat /etc/secret; stat -c %t:%T /etc/secret") == "1:3\n")
        }
    }

    @Test("A link at /dev/console is followed nowhere")
    func bindsTheConsoleInside() async throws {
        // CVE-2025-52565. Checked: with the place opened by a plain path, made when missing, the file
        // appears on the host.
        try await TestBundle.use { bundle in
            let outside = try bundle.scratch.directory("outside")
            bundle.spec.mounts.removeAll {
                $0.destination == "/dev" || $0.destination == "/dev/shm" || $0.destination == "/dev/mqueue"
            }
            bundle.spec.root?.readonly = false
            try File.symlink(outside + "/console", bundle.rootfs + "/dev/console")
            bundle.spec.mounts.append(
                OCISpec.Mount(
                    destination: "/dev/pts", type: "devpts", source: "devpts",
                    options: ["newinstance", "ptmxmode=0666"]))
            bundle.spec.process?.terminal = true
            #expect(try await bundle.output(of: "test -c /dev/console && echo terminal") == "terminal\n")
            #expect(try Directory.names(outside).isEmpty)
        }
    }

    @Test("A /proc that is a link is refused", arguments: ["/proc", "/sys"])
    func refusesLinkedProc(path: String) async throws {
        // CVE-2019-19921. Checked: without requireOrdinary the container starts.
        try await TestBundle.use { bundle in
            rmdir(bundle.rootfs + path)
            try File.symlink("/tmp", bundle.rootfs + path)
            let type = path == "/proc" ? "proc" : "sysfs"
            try await bundle.expectFailure(
                "to rootfs at \(path): open (a \(type) must be mounted on ordinary directory) \(path): "
                    + "Too many levels of symbolic links")
        }
    }

    @Test(
        "Nothing may be mounted over /proc but a procfs, nor inside it but harmless files",
        arguments: ["/proc", "/proc/self/attr", "/proc/sys/kernel", "/proc/../proc/self", "//proc//1"])
    func protectsProc(destination: String) async throws {
        // CVE-2019-16884, CVE-2025-52881. Checked: without refuseUnsafeProc, refuseProc and the look at a bind's
        // filesystem the container starts.
        try await TestBundle.use { bundle in
            let source = try bundle.scratch.directory("fake")
            for mount in [
                OCISpec.Mount(destination: destination, type: "tmpfs", source: "tmpfs"),
                OCISpec.Mount(destination: destination, source: source, options: ["bind"]),
            ] {
                bundle.spec.mounts.removeAll { $0.destination == destination && $0.type != "proc" }
                bundle.spec.mounts.append(mount)
                let outcome = try await bundle.run()
                #expect(outcome.code == 1)
                #expect(outcome.errors.contains("/proc"), "\(outcome.errors)")
            }
        }
    }

    @Test("Sysctls outside of the container's namespaces, and values with more than one line, are refused")
    func refusesSysctls() async throws {
        // CVE-2022-0811. Checked: without SysctlPlan.validate and Spec.validateSysctl every one is taken.
        try await TestBundle.use { bundle in
            for (name, value) in [
                ("kernel.core_pattern", "|/bin/sh"), ("kernel.shm_rmid_forced", "1\n+kernel.core_pattern=x"),
                ("net/../kernel/core_pattern", "x"), ("vm.overcommit_memory", "1"), ("net", "1"), ("", "1"),
            ] {
                bundle.spec.linux { $0.sysctl = [name: value] }
                let outcome = try await bundle.run()
                #expect(outcome.code == 1, "\(name)")
                #expect(outcome.errors.contains("sysctl"), "\(outcome.errors)")
            }
            bundle.spec.linux {
                $0.sysctl = ["net.ipv4.ip_forward": "1"]
                $0.namespaces.removeAll { $0.type == .network }
            }
            let outcome = try await bundle.run()
            #expect(outcome.code == 1)
        }
    }

    @Test("Sysctls of the container's own are set there, and only there")
    func setsSysctls() async throws {
        try await TestBundle.use { bundle in
            let before = try File.readText("/proc/sys/kernel/shmmni")
            bundle.spec.linux { $0.sysctl = ["kernel.shmmni": "1234", "net.ipv4.ip_unprivileged_port_start": "7"] }
            let output = try await bundle.output(
                of: "cat /proc/sys/kernel/shmmni /proc/sys/net/ipv4/ip_unprivileged_port_start")
            #expect(output == "1234\n7\n")
            #expect(try File.readText("/proc/sys/kernel/shmmni") == before)
        }
    }

    @Test("Numbers that don't fit, and texts that don't end, are errors")
    func boundsInput() async throws {
        // CVE-2024-40635. Checked: with numbers cut to 32 bits, and a limit of 64 MiB, nothing is refused; the depth's limit
        // is told by its own words.
        try await TestBundle.use { bundle in
            try await bundle.startSleeper()
            let text = try File.readText(bundle.path + "/config.json")
            let file = bundle.path + "/config.json"
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            let large = lines.map { $0.contains("\"uid\":") ? "\"uid\": 4294967296," : String($0) }
            try AtomicFile.write(file, large.joined(separator: "\n"))
            #expect(try await bundle.oci("run", "--bundle", bundle.path, bundle.id).errors.contains("uid"))
            for user in ["4294967296", "-1", "1:4294967296"] {
                let words = ["exec", "--user", user, bundle.id, "/bin/true"]
                let outcome = try await Command([TestBundle.program, "--root", bundle.state] + words).run()
                #expect(outcome.code == 255 && outcome.errors.contains("not a number of 32 bits"), "\(outcome)")
            }
            try AtomicFile.write(file, "{\"x\": " + String(repeating: "[", count: 100_000))
            let deep = try await bundle.oci("run", "--bundle", bundle.path, bundle.id)
            #expect(deep.code == 1 && deep.errors.contains("nested deeper than"), "\(deep)")
            try AtomicFile.write(file, String(text.prefix(text.count / 2)))
            #expect(try await bundle.oci("run", "--bundle", bundle.path, bundle.id).errors.contains("config.json"))
            try AtomicFile.write(file, [UInt8](repeating: 0x20, count: 9 << 20))
            #expect(try await bundle.oci("run", "--bundle", bundle.path, bundle.id).errors.contains("File too large"))
        }
    }

    @Test("State, and the socket that waits for start, are for root's eyes only")
    func hidesState() async throws {
        // CVE-2020-15257. Checked: with 0755, 0644 and 0666 where folder, files and socket are made it fails.
        try await TestBundle.use { bundle in
            bundle.spec.linux { $0.namespaces.removeAll { $0.type == .network } }
            try bundle.write()
            #expect(try await bundle.oci("create", "--bundle", bundle.path, bundle.id).code == 0)
            let folder = "\(bundle.state)/\(bundle.id)"
            #expect(try FileStatus(folder).permissions == 0o700)
            let names = try Directory.names(folder)
            #expect(names.sorted() == ["config.json", "start", "state.json"])
            for name in names {
                #expect(try FileStatus(folder + "/" + name).permissions == 0o600, "\(name)")
            }
            // Whoever shares the network namespace reaches every abstract socket, whatever its folder's mode.
            let sockets = try File.readText("/proc/net/unix").split(separator: "\n")
            let descriptors = "/proc/\(try await bundle.pid())/fd"
            let own = try Directory.names(descriptors).compactMap { name -> String? in
                let target = try File.readLink(descriptors + "/" + name)
                return target.hasPrefix("socket:[") ? String(target.dropFirst(8).dropLast()) : nil
            }
            let listening = sockets.filter { line in own.contains { line.contains(" \($0) ") } }
            #expect(listening.count == 1 && listening[0].hasSuffix(" \(folder)/start"), "\(listening)")
        }
    }

    @Test("A netlink attribute that is too long is refused, and one whose length is a lie is none")
    func checksNetlinkLengths() throws {
        // CVE-2021-43784. Checked: with the length cut to 16 bits nothing is thrown; without the look at what is
        // left the lies are attributes.
        var message = NetlinkBytes()
        #expect(throws: SystemError.self) { try message.attribute(1, [UInt8](repeating: 0, count: 65_532)) }
        try message.attribute(1, [UInt8](repeating: 0, count: 65_531))
        #expect(message.bytes.count == 65_536)
        for length: [UInt8] in [[0, 0], [3, 0], [9, 0], [255, 255]] {
            let bytes: [UInt8] = length + [1, 0, 7, 7, 7, 7]
            #expect(NetlinkBytes.attributes(bytes[...]) == nil)
        }
    }
}
