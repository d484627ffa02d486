import Glibc
import JSON
import Linux
import OCISpec
import TestKit
import Testing

@testable import OCIRuntime

@Suite("Mounts", .needs(.root, .programs, .busybox))
struct MountTests {
    @Test("A folder and a file are bound, and their places are made")
    func binds() async throws {
        try await TestBundle.use { bundle in
            let source = try bundle.scratch.directory("source")
            try bundle.scratch.write("source/file", "content\n")
            bundle.spec.mounts += [
                OCISpec.Mount(destination: "/a/b", type: "bind", source: source, options: ["rbind", "ro"]),
                OCISpec.Mount(destination: "/c/one", source: source + "/file", options: ["bind"]),
            ]
            let output = try await bundle.output(
                of: "cat /a/b/file /c/one; touch /a/b/x 2>&1 | grep -c Read-only; echo >> /c/one")
            #expect(output == "content\ncontent\n1\n")
            #expect(try File.readText(source + "/file") == "content\n\n")
        }
    }

    @Test("Attributes are those that the options name; a bind without any has its source's")
    func setsAttributes() async throws {
        try await TestBundle.use { bundle in
            let source = try bundle.scratch.directory("source")
            try Linux.Mount.mount(source: "tmpfs", target: source, type: "tmpfs", flags: [.noSetID, .noExec])
            bundle.scratch.atEnd { umount2(source, Int32(MNT_DETACH)) }
            bundle.spec.mounts += [
                OCISpec.Mount(destination: "/m", source: source, options: ["bind", "ro", "nodev", "noatime"]),
                OCISpec.Mount(destination: "/n", source: source, options: ["bind", "rprivate"]),
                OCISpec.Mount(
                    destination: "/t", type: "tmpfs", source: "tmpfs",
                    options: ["size=64k", "mode=700", "nosuid", "noexec"]),
            ]
            let mounts = try await bundle.output(of: "grep -E ' /[mnt] ' /proc/self/mounts")
            #expect(mounts.contains(" /m tmpfs ro,nodev,noatime"), "\(mounts)")
            #expect(mounts.contains(" /n tmpfs rw,nosuid,noexec,relatime"), "\(mounts)")
            #expect(mounts.contains(" /t tmpfs rw,nosuid,noexec,relatime,size=64k,mode=700"), "\(mounts)")
        }
    }

    @Test(
        "What the host has locked is kept for a user namespace where it is left out, and refused where it is asked for")
    func keepsLocked() throws {
        func attributes(_ options: [String], locked: Bool) throws -> BindAttributes {
            let source = MountTree.Attributes(options: "rw,nosuid,nodev,noexec,nosymfollow,relatime")
            return try BindAttributes(
                MountOptions(["bind"] + options), source: { () throws(SystemError) in source }, isLocked: locked)
        }
        #expect(try attributes(["rprivate"], locked: false).clear.isEmpty)
        #expect(
            try attributes(["ro"], locked: false).clear == [.noSetID, .noDevices, .noExec, .noSymlinkFollow])
        #expect(try attributes(["ro", "nosuid"], locked: true).set == [.readOnly, .noSetID])
        #expect(try attributes(["ro", "nosuid"], locked: true).clear == [.noSymlinkFollow])
        #expect(throws: RuntimeError.self) { try attributes(["exec"], locked: true) }
        #expect(throws: RuntimeError.self) { try attributes(["noatime"], locked: true) }
        #expect(throws: Never.self) { try attributes(["relatime", "rw"], locked: true) }
    }

    @Test("Of the access times the last word counts, and a word that only clears one leaves the source's")
    func readsAccessTimes() throws {
        let all: MountTree.Attributes = [.accessTimeField, .noDirectoryAccessTime]
        #expect(try MountOptions(["strictatime", "noatime"]).set == .noAccessTime)
        #expect(try MountOptions(["noatime", "relatime"]).set.isEmpty)
        #expect(try MountOptions(["nodiratime", "strictatime"]).set == [.strictAccessTime, .noDirectoryAccessTime])
        #expect(try MountOptions(["relatime"]).clear == all)
        for word in ["atime", "diratime", "norelatime", "nostrictatime"] {
            let options = try MountOptions([word])
            #expect(options.set.isEmpty && options.clear.isEmpty, "\(word)")
        }
    }

    @Test(
        "Mounts are made one after the other: what an earlier one made can be a later one's source, and the kernel's list has them in order"
    )
    func mountsInOrder() async throws {
        try await TestBundle.use { bundle in
            let source = try bundle.scratch.directory("source")
            try bundle.scratch.write("source/file", "content\n")
            bundle.spec.mounts += [
                OCISpec.Mount(destination: "/one", source: source, options: ["bind"]),
                OCISpec.Mount(destination: "/two", type: "tmpfs", source: "two"),
                // Written as the host sees it.
                OCISpec.Mount(destination: bundle.rootfs + "/three", source: bundle.rootfs + "/one", options: ["bind"]),
            ]
            let script = "cat /three/file; grep -oE ' /(one|two|three) ' /proc/self/mountinfo"
            #expect(try await bundle.output(of: script) == "content\n /one \n /two \n /three \n")
        }
    }

    @Test("A read-only /dev is filled first, and a tmpfs without a mode has that of the folder below it")
    func fillsReadOnlyDev() async throws {
        try await TestBundle.use { bundle in
            for index in bundle.spec.mounts.indices where bundle.spec.mounts[index].destination == "/dev" {
                bundle.spec.mounts[index].options.append("ro")
            }
            chmod(try bundle.scratch.directory("bundle/rootfs/plain"), 0o710)
            bundle.spec.mounts.append(OCISpec.Mount(destination: "/plain", type: "tmpfs", source: "tmpfs"))
            let script =
                "ls /dev/null; touch /dev/x 2>&1 | grep -c Read-only; grep -c ' /plain .*mode=710' /proc/self/mounts"
            #expect(try await bundle.output(of: script) == "/dev/null\n1\n1\n")
        }
    }

    @Test("rro reaches what is mounted below, ro doesn't")
    func setsRecursively() async throws {
        try await TestBundle.use { bundle in
            let source = try bundle.scratch.directory("source/inner")
            try Linux.Mount.mount(source: "tmpfs", target: source, type: "tmpfs")
            bundle.scratch.atEnd { umount2(source, Int32(MNT_DETACH)) }
            let outer = bundle.scratch.file("source")
            bundle.spec.mounts += [
                OCISpec.Mount(destination: "/one", source: outer, options: ["rbind", "ro"]),
                OCISpec.Mount(destination: "/all", source: outer, options: ["rbind", "rro"]),
            ]
            #expect(
                try await bundle.output(of: "touch /one/inner/x && echo yes; touch /all/inner/y 2>/dev/null || echo no")
                    == "yes\nno\n")
        }
    }

    @Test("A tmpfs can start with what it covers")
    func copiesUp() async throws {
        try await TestBundle.use { bundle in
            _ = try bundle.scratch.directory("bundle/rootfs/data/sub")
            try bundle.scratch.write("bundle/rootfs/data/sub/file", "kept")
            try File.symlink("/etc/passwd", bundle.rootfs + "/data/link")
            bundle.spec.mounts.append(
                OCISpec.Mount(destination: "/data", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]))
            #expect(
                try await bundle.output(of: "cat /data/sub/file; readlink /data/link; rm -r /data/sub")
                    == "kept/etc/passwd\n")
            #expect(File.exists(bundle.rootfs + "/data/sub/file"))
        }
    }

    @Test("What the container mounts never appears on the host; what the host mounts appears in an rslave volume")
    func keepsPropagation() async throws {
        try await TestBundle.use { bundle in
            let source = try bundle.scratch.directory("shared")
            try Linux.Mount.mount(source: "tmpfs", target: source, type: "tmpfs")
            try Linux.Mount.mount(source: nil, target: source, flags: .shared)
            bundle.scratch.atEnd { umount2(source, Int32(MNT_DETACH)) }
            bundle.scratch.atEnd { umount2(source + "/late", Int32(MNT_DETACH)) }
            try Directory.make(source + "/late")
            try Directory.make(source + "/own")
            bundle.spec.mounts += [
                OCISpec.Mount(destination: "/slave", source: source, options: ["rbind", "rslave"]),
                OCISpec.Mount(destination: "/private", source: source, options: ["rbind", "rprivate"]),
            ]
            bundle.spec.process?.capabilities = LinuxCapabilities(
                bounding: ["CAP_SYS_ADMIN"], effective: ["CAP_SYS_ADMIN"], permitted: ["CAP_SYS_ADMIN"])
            try await bundle.startSleeper()
            try Linux.Mount.mount(source: "tmpfs", target: source + "/late", type: "tmpfs")
            try AtomicFile.write(source + "/late/there", "x")
            let seen = try await bundle.oci("exec", bundle.id, "ls", "/slave/late", "/private/late")
            #expect(seen.output == "/private/late:\n\n/slave/late:\nthere\n", "\(seen)")
            let made = try await bundle.oci("exec", bundle.id, "mount", "-t", "tmpfs", "x", "/slave/own")
            #expect(made.code == 0, "\(made.errors)")
            #expect(try !MountInfo.all().contains { $0.mountPoint == source + "/own" })
        }
    }

    @Test("A read-only root takes nothing, a writable one does")
    func protectsTheRoot() async throws {
        try await TestBundle.use { (bundle: inout TestBundle) async throws in
            #expect(try await bundle.output(of: "touch /x 2>&1 | grep -c Read-only") == "1\n")
            bundle.spec.root?.readonly = false
            #expect(try await bundle.output(of: "touch /x && echo made") == "made\n")
        }
    }

    @Test("The default devices and links are there, with their modes, and others as asked")
    func makesDevices() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.linux {
                $0.devices = [
                    LinuxDevice(path: "/dev/extra", type: "c", major: 1, minor: 5, fileMode: 0o640, uid: 7, gid: 8),
                    LinuxDevice(path: "/dev/deep/pipe", type: "p", fileMode: 0o600),
                ]
            }
            let output = try await bundle.output(
                of: """
                    for d in null zero full random urandom tty; do stat -c '%n %a %t:%T' /dev/$d; done
                    stat -c '%F %a %t:%T %u:%g' /dev/extra
                    stat -c '%F %a' /dev/deep/pipe
                    for l in fd stdin stdout stderr ptmx; do readlink /dev/$l; done
                    """)
            #expect(
                output == """
                    /dev/null 666 1:3
                    /dev/zero 666 1:5
                    /dev/full 666 1:7
                    /dev/random 666 1:8
                    /dev/urandom 666 1:9
                    /dev/tty 666 5:0
                    character special file 640 1:5 7:8
                    fifo 600
                    /proc/self/fd
                    /proc/self/fd/0
                    /proc/self/fd/1
                    /proc/self/fd/2
                    pts/ptmx

                    """)
        }
    }

    @Test("Masked paths are empty, read-only paths refuse writes, missing ones are no matter")
    func protectsPaths() async throws {
        try await TestBundle.use { bundle in
            _ = try bundle.scratch.directory("bundle/rootfs/secret")
            try bundle.scratch.write("bundle/rootfs/secret/key", "hidden")
            try bundle.scratch.write("bundle/rootfs/etc/password", "hidden")
            bundle.spec.root?.readonly = false
            bundle.spec.linux {
                $0.maskedPaths += ["/secret", "/etc/password", "/not/there"]
                $0.readonlyPaths += ["/tmp", "/not/there"]
            }
            let output = try await bundle.output(
                of: "ls -A /secret; cat /etc/password; touch /tmp/x 2>/dev/null || echo no; touch /y && echo yes")
            #expect(output == "no\nyes\n")
            #expect(try await bundle.output(of: "touch /secret/x 2>/dev/null || echo no") == "no\n")
        }
    }

    @Test("A missing source names itself, its place and the reason, and nothing is left")
    func namesMissingSources() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.mounts.append(OCISpec.Mount(destination: "/m", source: "/not/there", options: ["bind"]))
            try await bundle.expectFailure(
                "error mounting \"/not/there\" to rootfs at /m: open_tree /not/there: No such file or directory")
        }
    }

    @Test("A filesystem that doesn't exist, or refuses its options, says so")
    func namesBadFilesystems() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.mounts.append(OCISpec.Mount(destination: "/m", type: "nosuchfs", source: "x"))
            try await bundle.expectFailure("error mounting nosuchfs to rootfs at /m: fsopen nosuchfs: No such device")
            bundle.spec.mounts[bundle.spec.mounts.count - 1] =
                OCISpec.Mount(destination: "/m", type: "tmpfs", source: "x", options: ["nonsense=1"])
            try await bundle.expectFailure("nonsense")
        }
    }
}
