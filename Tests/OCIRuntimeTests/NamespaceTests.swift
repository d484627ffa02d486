import Glibc
import JSON
import Linux
import OCISpec
import TestKit
import Testing

@Suite("Namespaces", .needs(.root, .programs, .busybox))
struct NamespaceTests {
    private static let kinds = ["pid", "net", "ipc", "uts", "mnt", "cgroup", "user", "time"]

    @Test("Every kind is the container's own when asked for, and the host's when not")
    func createsAll() async throws {
        try await TestBundle.use { bundle in
            bundle.useUserNamespace()
            bundle.spec.linux { $0.namespaces.append(LinuxNamespace(type: .time)) }
            try await bundle.startSleeper()
            let pid = try await bundle.pid()
            for kind in Self.kinds {
                #expect(
                    try File.readLink("/proc/\(pid)/ns/\(kind)") != File.readLink("/proc/self/ns/\(kind)"), "\(kind)")
            }
        }
        try await TestBundle.use { bundle in
            bundle.spec.hostname = nil
            bundle.spec.linux { $0.namespaces = [LinuxNamespace(type: .mount)] }
            try await bundle.startSleeper()
            let pid = try await bundle.pid()
            for kind in Self.kinds where kind != "mnt" {
                #expect(
                    try File.readLink("/proc/\(pid)/ns/\(kind)") == File.readLink("/proc/self/ns/\(kind)"), "\(kind)")
            }
        }
    }

    @Test("Namespaces of another container are joined by path")
    func joinsByPath() async throws {
        try await TestBundle.use { first in
            first.spec.hostname = "first"
            try await first.startSleeper()
            let pid = try await first.pid()
            try await TestBundle.use { second in
                second.spec.hostname = nil
                second.spec.linux { section in
                    section.namespaces = [
                        LinuxNamespace(type: .mount), LinuxNamespace(type: .pid, path: "/proc/\(pid)/ns/pid"),
                        LinuxNamespace(type: .network, path: "/proc/\(pid)/ns/net"),
                        LinuxNamespace(type: .ipc, path: "/proc/\(pid)/ns/ipc"),
                        LinuxNamespace(type: .uts, path: "/proc/\(pid)/ns/uts"),
                        LinuxNamespace(type: .cgroup, path: "/proc/\(pid)/ns/cgroup"),
                    ]
                }
                try await second.startSleeper()
                let other = try await second.pid()
                for kind in ["pid", "net", "ipc", "uts", "cgroup"] {
                    let mine = try File.readLink("/proc/\(other)/ns/\(kind)")
                    #expect(try mine == File.readLink("/proc/\(pid)/ns/\(kind)"), "\(kind)")
                }
                let seen = try await second.oci("exec", second.id, "sh", "-c", "hostname; cat /proc/1/cmdline")
                #expect(seen.output == "first\n/bin/sleep\u{0}1000\u{0}")
            }
        }
    }

    @Test("A user namespace of another container is joined, and the new ones belong to it")
    func joinsUserNamespaces() async throws {
        try await TestBundle.use { first in
            first.useUserNamespace()
            try await first.startSleeper()
            let pid = try await first.pid()
            try await TestBundle.use { second in
                second.useUserNamespace()
                second.spec.linux { section in
                    section.namespaces.removeAll { $0.type == .user || $0.type == .network }
                    section.namespaces.append(LinuxNamespace(type: .user, path: "/proc/\(pid)/ns/user"))
                    section.namespaces.append(LinuxNamespace(type: .network, path: "/proc/\(pid)/ns/net"))
                    section.uidMappings = []
                    section.gidMappings = []
                }
                try await second.startSleeper()
                let other = try await second.pid()
                let (mine, theirs) = (
                    try File.readLink("/proc/\(other)/ns/user"), try File.readLink("/proc/\(pid)/ns/user")
                )
                #expect(mine == theirs)
                #expect(try File.readLink("/proc/\(other)/ns/pid") != File.readLink("/proc/\(pid)/ns/pid"))
                #expect(try FileStatus("/proc/\(other)").uid == 100_000)
            }
        }
    }

    @Test("Root of a user namespace is nobody on the host")
    func mapsUsers() async throws {
        try await TestBundle.use { (bundle: inout TestBundle) async throws in
            bundle.useUserNamespace()
            bundle.spec.root?.readonly = false
            #expect(try await bundle.output(of: "id -u; touch /tmp/mine; ls -l /dev/null | head -c 1") == "0\nc")
            #expect(try FileStatus(bundle.rootfs + "/tmp/mine").uid == 100_000)
        }
    }

    @Test("Clocks of a time namespace are set off")
    func offsetsClocks() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.linux {
                $0.namespaces.append(LinuxNamespace(type: .time))
                $0.timeOffsets = ["boottime": LinuxTimeOffset(secs: 1_000_000, nanosecs: 0)]
            }
            let inside = try await bundle.output(of: "cat /proc/uptime").split(separator: ".").first.flatMap { Int($0) }
            #expect(try #require(inside) >= 1_000_000)
        }
    }

    @Test("What a path names must be a namespace")
    func refusesOthers() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.linux { section in
                section.namespaces.removeAll { $0.type == .network }
                section.namespaces.append(LinuxNamespace(type: .network, path: "/etc/passwd"))
            }
            try await bundle.expectFailure("linux.namespaces net: open (not a namespace) /etc/passwd")
            bundle.spec.linux { $0.namespaces[$0.namespaces.count - 1].path = "/nowhere" }
            try await bundle.expectFailure("linux.namespaces net: open /nowhere: No such file or directory")
        }
    }

    @Test("Without a mount namespace the mounts are the host's, all below one that can be taken away")
    func usesTheHostsMounts() async throws {
        try await TestBundle.use { bundle in
            let root = bundle.rootfs
            bundle.scratch.atEnd { umount2(root, Int32(MNT_DETACH)) }
            bundle.spec.linux { $0.namespaces.removeAll { $0.type == .mount } }
            #expect(
                try await bundle.output(of: "readlink /proc/self/ns/mnt") == File.readLink("/proc/self/ns/mnt") + "\n")
            #expect(try MountInfo.all().contains { $0.mountPoint == root + "/proc" })
            #expect(umount2(root, Int32(MNT_DETACH)) == 0)
            #expect(try !MountInfo.all().contains { $0.mountPoint.hasPrefix(root) })
            // One that fails leaves nothing.
            bundle.spec.process?.args = ["nosuch"]
            try await bundle.expectFailure("executable file not found")
            #expect(try !MountInfo.all().contains { $0.mountPoint.hasPrefix(root) })
        }
    }

    @Test("In a joined pid namespace the record has the host's number of the process")
    func recordsTheHostsNumber() async throws {
        try await TestBundle.use { first in
            first.useUserNamespace()
            try await first.startSleeper()
            let pid = try await first.pid()
            try await TestBundle.use { second in
                second.useUserNamespace()
                second.spec.linux { section in
                    section.namespaces.removeAll { $0.type == .user || $0.type == .pid }
                    section.namespaces.append(LinuxNamespace(type: .user, path: "/proc/\(pid)/ns/user"))
                    section.namespaces.append(LinuxNamespace(type: .pid, path: "/proc/\(pid)/ns/pid"))
                    section.uidMappings = []
                    section.gidMappings = []
                }
                try await second.startSleeper()
                let other = try await second.pid()
                #expect(try File.readLink("/proc/\(other)/ns/pid") == File.readLink("/proc/\(pid)/ns/pid"))
                let seen = try await second.oci("exec", second.id, "/bin/readlink", "/proc/self/ns/pid")
                #expect(seen.code == 0, "\(seen.errors)")
            }
        }
    }
}
