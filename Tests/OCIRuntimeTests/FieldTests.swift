import CLinux
import FoundationEssentials
import Glibc
import JSON
import Linux
import OCISpec
import TestKit
import Testing

@testable import OCIRuntime

@Suite("Fields of the configuration that few engines use", .needs(.root, .programs, .busybox))
struct FieldTests {
    @Test("An id-mapped bind shows other owners, and new files belong to the mapped ones")
    func mapsIDs() async throws {
        try await TestBundle.use { bundle in
            let volume = try bundle.scratch.directory("volume")
            try bundle.scratch.write("volume/file", "x")
            chown(volume + "/file", 100_000, 100_001)
            chown(volume, 100_000, 100_000)
            bundle.spec.mounts.append(
                OCISpec.Mount(
                    destination: "/mnt", source: volume, options: ["bind"],
                    uidMappings: [LinuxIDMapping(containerID: 100_000, hostID: 0, size: 1000)],
                    gidMappings: [LinuxIDMapping(containerID: 100_000, hostID: 0, size: 1000)]))
            let output = try await bundle.output(of: "stat -c %u:%g /mnt/file; touch /mnt/new")
            #expect(output == "0:1\n")
            #expect(try FileStatus(volume + "/new").uid == 100_000)
            // What an earlier mount put into the root can be a source too.
            let mapped = OCISpec.Mount(
                destination: "/again", source: bundle.rootfs + "/plain", options: ["bind"],
                uidMappings: [LinuxIDMapping(containerID: 100_000, hostID: 5, size: 1000)],
                gidMappings: [LinuxIDMapping(containerID: 100_000, hostID: 5, size: 1000)])
            bundle.spec.mounts += [OCISpec.Mount(destination: "/plain", source: volume, options: ["bind"]), mapped]
            #expect(try await bundle.output(of: "stat -c %u:%g /plain/file /again/file") == "100000:100001\n5:6\n")
        }
    }

    @Test("In a user namespace too, what an earlier mount made can be a source whose ids are mapped")
    func mapsIDsInsideTheRoot() async throws {
        try await TestBundle.use { bundle in
            bundle.useUserNamespace()
            let volume = try bundle.scratch.directory("volume")
            try bundle.scratch.write("volume/file", "x")
            bundle.spec.mounts += [
                OCISpec.Mount(destination: "/plain", source: volume, options: ["bind"]),
                OCISpec.Mount(destination: "/again", source: bundle.rootfs + "/plain", options: ["bind", "idmap"]),
            ]
            #expect(try await bundle.output(of: "stat -c %u:%g /plain/file /again/file") == "65534:65534\n0:0\n")
        }
    }

    @Test(
        "idmap alone means the container's own mapping; ridmap reaches what is mounted below",
        arguments: ["idmap", "ridmap"])
    func mapsLikeTheContainer(option: String) async throws {
        try await TestBundle.use { bundle in
            bundle.useUserNamespace()
            let volume = try bundle.scratch.directory("volume")
            let below = try bundle.scratch.directory("volume/below")
            // Of the same filesystem: not every kernel can map a tmpfs.
            let other = try bundle.scratch.directory("other")
            try Linux.Mount.mount(source: other, target: below, flags: .bind)
            defer { try? Linux.Mount.unmount(below, detach: true) }
            try bundle.scratch.write("volume/file", "x")
            try bundle.scratch.write("volume/below/file", "x")
            bundle.spec.mounts.append(
                OCISpec.Mount(destination: "/mnt", source: volume, options: ["rbind", option]))
            let output = try await bundle.output(of: "stat -c %u /mnt/file /mnt/below/file")
            #expect(output == (option == "idmap" ? "0\n65534\n" : "0\n0\n"))
        }
    }

    @Test("Mappings that lack their other half, or a user namespace to take them from, are refused")
    func refusesHalfMappings() async throws {
        try await TestBundle.use { bundle in
            let map = [LinuxIDMapping(containerID: 0, hostID: 1, size: 1)]
            let cases = [
                (
                    OCISpec.Mount(destination: "/mnt", source: "/tmp", options: ["bind"], uidMappings: map),
                    "must be given together"
                ),
                (
                    OCISpec.Mount(destination: "/mnt", source: "/tmp", options: ["bind", "idmap"]),
                    "needs a user namespace"
                ),
                (
                    OCISpec.Mount(
                        destination: "/mnt", type: "tmpfs", source: "tmpfs", uidMappings: map, gidMappings: map),
                    "only bind mounts can map ids"
                ),
            ]
            let mounts = bundle.spec.mounts
            for (mount, text) in cases {
                bundle.spec.mounts = mounts + [mount]
                try await bundle.expectFailure(text)
            }
        }
    }

    @Test("remount changes what was mounted before")
    func remounts() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.mounts += [
                OCISpec.Mount(destination: "/mnt", type: "tmpfs", source: "tmpfs"),
                OCISpec.Mount(destination: "/mnt", options: ["remount", "ro", "noexec"]),
            ]
            let output = try await bundle.output(
                of: "touch /mnt/x 2>/dev/null || echo refused; grep ' /mnt ' /proc/mounts")
            #expect(output.hasPrefix("refused\n"))
            #expect(output.contains("noexec"))
        }
    }

    @Test(
        "Every recursive option reaches what is mounted below",
        arguments: [
            ("rro", "ro"), ("rnosuid", "nosuid"), ("rnodev", "nodev"), ("rnoexec", "noexec"), ("rnoatime", "noatime"),
            ("rnodiratime", "nodiratime"), ("rnosymfollow", "nosymfollow"),
        ])
    func appliesRecursively(option: (String, String)) async throws {
        try await TestBundle.use { bundle in
            let volume = try bundle.scratch.directory("volume")
            let below = try bundle.scratch.directory("volume/below")
            try Linux.Mount.mount(source: "tmpfs", target: below, type: "tmpfs")
            defer { try? Linux.Mount.unmount(below, detach: true) }
            bundle.spec.mounts.append(
                OCISpec.Mount(destination: "/mnt", source: volume, options: ["rbind", option.0]))
            let output = try await bundle.output(of: "grep ' /mnt/below ' /proc/mounts")
            let options = output.split(separator: " ").dropFirst(3).first?.split(separator: ",") ?? []
            #expect(options.contains(Substring(option.1)), "\(output)")
        }
    }

    @Test("--no-pivot moves the root, and leaves no unmasked proc below it")
    func movesRoot() async throws {
        // Checked: without taking the host's proc away in moveRoot the mount inside works.
        try await TestBundle.use { bundle in
            bundle.spec.process?.args = [
                "/bin/sh", "-c", "ls /; unshare -Urmpf mount -t proc proc /tmp || echo refused",
            ]
            try File.symlink("busybox", bundle.rootfs + "/bin/unshare")
            bundle.spec.process?.noNewPrivileges = false
            // Without it nobody becomes root of a user namespace inside.
            for list in [\LinuxCapabilities.bounding, \.effective, \.permitted] {
                bundle.spec.process?.capabilities?[keyPath: list].append("CAP_SETFCAP")
            }
            try bundle.write()
            let outcome = try await bundle.oci("run", "--no-pivot", "--bundle", bundle.path, bundle.id)
            #expect(outcome.code == 0, "\(outcome.errors)")
            #expect(outcome.output == "bin\ndev\netc\nproc\nsys\ntmp\nrefused\n", "\(outcome)")
        }
    }

    @Test("A network device moves in under its new name with its addresses, and is up")
    func movesDevices() async throws {
        let name = "kst\(UInt16.random(in: 0...9999))"
        let added = try await Command(["ip", "link", "add", name, "type", "veth", "peer", "name", name + "p"]).run()
        try #require(added.code == 0, "\(added.errors)")
        do {
            _ = try await Command(["ip", "address", "add", "192.0.2.7/24", "dev", name]).run()
            let hasIPv6 = File.exists("/proc/net/if_inet6")
            let wide = ["ip", "address", "add", "2001:db8::7/64", "dev", name]
            if hasIPv6 { #expect(try await Command(wide).run().code == 0) }
            _ = try await Command(["ip", "link", "set", name, "mtu", "1400"]).run()
            try await TestBundle.use { bundle in
                bundle.spec.linux { $0.netDevices = [name: LinuxNetDevice(name: "inside0")] }
                let output = try await bundle.output(of: "ip address show inside0")
                #expect(output.contains("192.0.2.7/24"), "\(output)")
                #expect(!hasIPv6 || output.contains("2001:db8::7/64 scope global"), "\(output)")
                #expect(output.contains("mtu 1400"), "\(output)")
                #expect(output.contains("UP"), "\(output)")
                bundle.spec.linux { $0.netDevices = ["nosuch0": LinuxNetDevice()] }
                try await bundle.expectFailure("linux.netDevices nosuch0: find the interface nosuch0")
                bundle.spec.linux { $0.netDevices = ["a/b": LinuxNetDevice()] }
                try await bundle.expectFailure("'a/b' is no interface's name")
                bundle.spec.linux {
                    $0.netDevices = [name: LinuxNetDevice()]
                    $0.namespaces.removeAll { $0.type == .network }
                }
                try await bundle.expectFailure("it needs a network namespace")
            }
        } catch {
            _ = try? await Command(["ip", "link", "delete", name + "p"]).run()
            throw error
        }
        // The container's end took the pair with it.
        _ = try? await Command(["ip", "link", "delete", name + "p"]).run()
    }

    @Test("A cache allocation names what the host lacks; where there is one, schemata and tasks are written")
    func allocatesCache() async throws {
        try await TestBundle.use { bundle in
            if !File.exists("/sys/fs/resctrl/schemata") {
                bundle.spec.linux { $0.intelRdt = LinuxIntelRdt(closID: "x") }
                try await bundle.expectFailure("linux.intelRdt: this host has no resctrl filesystem")
            }
            let root = try bundle.scratch.directory("resctrl")
            try bundle.scratch.write("resctrl/schemata", "")
            _ = try bundle.scratch.directory("resctrl/mine")
            try bundle.scratch.write("resctrl/mine/schemata", "")
            try bundle.scratch.write("resctrl/mine/tasks", "")
            let plan = try RdtPlan(LinuxIntelRdt(closID: "mine", l3CacheSchema: "L3:0=f"), id: "c", root: root)
            try plan.admit([42])
            #expect(try File.readText(root + "/mine/schemata") == "L3:0=f\n")
            #expect(try File.readText(root + "/mine/tasks") == "42")
            #expect(throws: RuntimeError.self) { try RdtPlan(LinuxIntelRdt(closID: "../x"), id: "c", root: root) }
        }
    }

    @Test("update changes the schemas of the configuration's group, or of one of the container's own")
    func updatesCache() async throws {
        try await TestBundle.use { bundle in try changeSchemas(bundle.scratch) }
    }

    private func changeSchemas(_ scratch: Scratch) throws {
        let root = try scratch.directory("resctrl")
        try scratch.write("resctrl/schemata", "")
        _ = try scratch.directory("resctrl/info/L3")
        func plan(_ cache: String, _ bandwidth: String, of configured: LinuxIntelRdt? = nil) throws -> RdtPlan? {
            try RdtPlan.update(l3Cache: cache, bandwidth: bandwidth, of: configured, id: "c", root: root)
        }
        #expect(try plan("", "") == nil)
        #expect(throws: RuntimeError("Intel RDT/MBA: memory bandwidth schema is not enabled")) {
            try plan("L3:0=f", "MB:0=20")
        }
        _ = try scratch.directory("resctrl/info/MB")
        let own = try #require(try plan("L3:0=f", "MB:0=20"))
        #expect(own.path == root + "/c")
        #expect(own.isOwn)
        #expect(own.schemata == ["L3:0=f", "MB:0=20"])
        let named = try #require(try plan("", "MB:0=20", of: LinuxIntelRdt(closID: "mine", l3CacheSchema: "L3:0=1")))
        #expect(named.path == root + "/mine")
        #expect(!named.isOwn)
        #expect(named.schemata == ["MB:0=20"])
        // The kernel makes the files with the group; a process that has ended is no failure.
        _ = try scratch.directory("resctrl/mine")
        try scratch.write("resctrl/mine/schemata", "")
        try scratch.write("resctrl/mine/tasks", "")
        try named.admit([42])
        #expect(try File.readText(root + "/mine/schemata") == "MB:0=20\n")
    }

    @Test(
        "exec joins a cgroup below the container's, and refuses one that leads out",
        .enabled(if: TestBundle.hasCgroupV1))
    func joinsSubgroups() async throws {
        try await TestBundle.use { bundle in
            try await bundle.startSleeper()
            let folder = "/sys/fs/cgroup/memory/kubesim-test/\(bundle.id)/sub"
            try Directory.make(folder)
            let inside = try await bundle.oci(
                "exec", "--cgroup", "memory:sub", bundle.id, "/bin/grep", "memory", "/proc/self/cgroup")
            #expect(inside.output.hasSuffix(":memory:/sub\n"), "\(inside)")
            for (path, text) in [
                ("memory:../..", "bad sub cgroup path"), ("magic:sub", "unknown controller magic"),
                ("memory:none", "No such file or directory"), (":x", "empty <controller> prefix"),
            ] {
                let outcome = try await bundle.oci("exec", "--cgroup", path, bundle.id, "/bin/true")
                #expect(outcome.code == 255)
                #expect(outcome.errors.contains(text), "\(outcome.errors)")
            }
        }
    }

    @Test("A cgroup in which somebody lives is no new container's")
    func refusesUsedCgroups() async throws {
        try await TestBundle.use { bundle in
            try await bundle.startSleeper()
            let second = try await bundle.oci("run", "--bundle", bundle.path, bundle.id + "-2")
            #expect(second.code == 1)
            #expect(second.errors.contains("container's cgroup is not empty: 1 process(es) found"), "\(second)")
            #expect(try await bundle.status() == "running")
        }
    }

    @Test("A cgroup that stands still is no new container's", .enabled(if: TestBundle.hasCgroupV1))
    func refusesFrozenCgroups() async throws {
        try await TestBundle.use { bundle in
            let folder = "/sys/fs/cgroup/freezer/kubesim-test/\(bundle.id)"
            try Directory.make(folder)
            try File.writeExisting(folder + "/freezer.state", "FROZEN")
            let outcome = try await bundle.run()
            #expect(outcome.code == 1)
            #expect(outcome.errors.contains("container's cgroup unexpectedly frozen"), "\(outcome)")
            rmdir(folder)
        }
    }

    @Test("Someone without rights runs a container of their own")
    func runsRootless() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.makeRootless(uid: 65_534, gid: 65_534)
            bundle.spec.linux { $0.cgroupsPath = nil }
            bundle.spec.process?.args = ["/bin/sh", "-c", "id -u; cat /proc/self/uid_map"]
            try bundle.write()
            // The files must be theirs, and the way to them open.
            _ = try await Command(["chown", "-R", "65534:65534", bundle.scratch.file("bundle")]).run()
            chmod(bundle.scratch.file(""), 0o755)
            let state = try bundle.scratch.directory("nobody")
            chown(state, 65_534, 65_534)
            let words = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", TestBundle.program]
            let outcome = try await Command(words + ["--root", state, "run", "--bundle", bundle.path, bundle.id]).run()
            #expect(outcome.code == 0, "\(outcome.errors)")
            #expect(outcome.output.hasPrefix("0\n"), "\(outcome)")
            #expect(outcome.output.contains("65534"))
            bundle.spec.linux { $0.resources = LinuxResources(pids: LinuxPids(limit: 5)) }
            try bundle.write()
            let limited = try await Command(words + ["--root", state, "run", "--bundle", bundle.path, bundle.id]).run()
            #expect(limited.code == 1)
            #expect(limited.errors.contains("rootless needs no limits + no cgrouppath"), "\(limited)")
        }
    }

    @Test("Someone without rights maps the ids that /etc/subuid gives them", .needs(.newuidmap))
    func mapsSubordinateIDs() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.makeRootless(uid: 65_534, gid: 65_534)
            bundle.spec.linux {
                $0.cgroupsPath = nil
                $0.uidMappings.append(LinuxIDMapping(containerID: 1, hostID: 700_000, size: 1000))
                $0.gidMappings.append(LinuxIDMapping(containerID: 1, hostID: 800_000, size: 1000))
            }
            bundle.spec.process?.user = User(uid: 5, gid: 6)
            bundle.spec.process?.args = ["/bin/sh", "-c", "id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map"]
            try bundle.write()
            _ = try await Command(["chown", "-R", "65534:65534", bundle.scratch.file("bundle")]).run()
            chmod(bundle.scratch.file(""), 0o755)
            let state = try bundle.scratch.directory("nobody")
            chown(state, 65_534, 65_534)
            let uids = try bundle.scratch.write("subuid", "nobody:700000:1000\n")
            let gids = try bundle.scratch.write("subgid", "nobody:800000:1000\n")
            // In a mount namespace of its own, so that the host's files are not touched.
            let script = """
                mount --bind \(uids) /etc/subuid && mount --bind \(gids) /etc/subgid && exec setpriv --reuid 65534 \
                --regid 65534 --clear-groups \(TestBundle.program) --root \(state) run --bundle \(bundle.path) \(bundle.id)
                """
            let unshare = ["unshare", "--mount", "--propagation", "private", "sh", "-c"]
            let outcome = try await Command(unshare + [script]).run()
            #expect(outcome.code == 0, "\(outcome.errors)")
            let words = outcome.output.split(whereSeparator: \.isWhitespace).map(String.init)
            #expect(
                words == ["5", "6", "0", "65534", "1", "1", "700000", "1000", "0", "65534", "1", "1", "800000", "1000"])
            try bundle.scratch.write("subuid", "nobody:700000:10\n")
            let refused = try await Command(unshare + [script]).run()
            #expect(refused.code == 1)
            #expect(refused.errors.contains("linux.uidMappings: newuidmap failed"), "\(refused)")
        }
    }
}
