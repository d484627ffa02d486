import CLinux
import Glibc
import TestKit
import Testing

@testable import Images

@Suite(.needs(.root, .overlayfs)) struct OwnerShiftTests {
    private let mapping = RootMapping(
        namespace: "/proc/self/ns/user",
        uids: [RootMapping.Range(container: 0, host: 300_000, count: 1000)],
        gids: [RootMapping.Range(container: 0, host: 400_000, count: 1000)])

    @Test func `a root changes hands as a whole, and keeps what makes its programs special`() async throws {
        // Checked: with links followed, what they lead to changes hands; without the last steps the set-id bits are gone, and
        // the capabilities; without the change of the tree's own top that stays root's.
        try await Scratch.use { scratch in
            let outside = try scratch.write("outside", "")
            let lower = try scratch.directory("lower")
            _ = try scratch.directory("lower/bin")
            for name in ["plain", "setid", "capable", "other"] { try scratch.write("lower/bin/\(name)", name) }
            chmod(lower + "/bin/setid", 0o4755)
            chown(lower + "/bin/other", 2000, 7)
            symlink(outside, lower + "/bin/link")
            // cap_net_raw, effective (xattr of version 2).
            let capability: [UInt8] = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
            try #require(
                sys_lsetxattr(lower + "/bin/capable", "security.capability", capability, capability.count, 0) == 0)

            let mount = OverlayMount(
                lower: [lower], upper: try scratch.directory("upper"), work: try scratch.directory("work"),
                target: try scratch.directory("target"), readOnly: false)
            try mount.mount()
            scratch.atEnd { umount2(mount.target, 2) }
            try OwnerShift.apply(mapping, to: mount.target)

            for name in ["", "/bin", "/bin/plain", "/bin/setid", "/bin/capable", "/bin/link"] {
                let now = try status(mount.target + name)
                #expect(now.st_uid == 300_000 && now.st_gid == 400_000, "\(name)")
            }
            // Its user is none that the namespace knows.
            let other = try status(mount.target + "/bin/other")
            #expect(other.st_uid == 2000 && other.st_gid == 400_007)
            #expect(try status(mount.target + "/bin/setid").st_mode & 0o7777 == 0o4755)
            var kept = [UInt8](repeating: 0, count: 64)
            #expect(sys_lgetxattr(mount.target + "/bin/capable", "security.capability", &kept, kept.count) == 20)
            // The image itself, and what its links lead to, are as they were.
            #expect(try status(lower + "/bin/plain").st_uid == 0)
            #expect(try status(outside).st_uid == 0)
            // Once more changes nothing: what is there already belongs to nobody that the namespace knows.
            try OwnerShift.apply(mapping, to: mount.target)
            #expect(try status(mount.target + "/bin/plain").st_uid == 300_000)
        }
    }

    @Test func `folders nested without end are refused`() async throws {
        // Checked: without the limit they are gone through, a descriptor each.
        try await Scratch.use { scratch in
            var directory = open(try scratch.directory("root"), O_RDONLY | O_DIRECTORY)
            for _ in 0..<300 {
                #expect(mkdirat(directory, "d", 0o755) == 0)
                let deeper = openat(directory, "d", O_RDONLY | O_DIRECTORY)
                close(directory)
                directory = deeper
            }
            close(directory)
            #expect(throws: ImportFailure.self) { try OwnerShift.apply(mapping, to: scratch.file("root")) }
        }
    }

    @Test func `ids outside of all ranges have no owner outside`() {
        // Checked: without the ranges' ends they have.
        let ranges = [
            RootMapping.Range(container: 0, host: 100, count: 10),
            RootMapping.Range(container: 500, host: UInt32.max - 1, count: 10),
        ]
        #expect(RootMapping.host(9, ranges) == 109)
        #expect(RootMapping.host(10, ranges) == nil)
        #expect(RootMapping.host(501, ranges) == UInt32.max)
        #expect(RootMapping.host(505, ranges) == nil)
    }
}
