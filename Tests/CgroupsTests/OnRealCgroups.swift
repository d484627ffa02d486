import Glibc
import Linux
import TestKit
import Testing

@testable import Cgroups

/// Cgroups of the tests' own on the host that they run on.
enum OnRealCgroups {
    /// A path that no other test run uses.
    static func name(_ test: String) -> String { "/kubesim-test-\(getpid())-\(test)" }

    static let host = try? CgroupHost.detect()
    static let unified = host?.unified?.mountPoint

    /// Gives the body a cgroup that exists, and leaves nothing of it.
    static func use(_ test: String, _ body: (Cgroup) async throws -> Void) async throws {
        let cgroup = try Cgroup(path: name(test) + "/inner", host: CgroupHost.detect())
        let parent = try Cgroup(path: name(test), host: cgroup.host)
        try cgroup.create()
        do {
            try await body(cgroup)
        } catch {
            try? cgroup.killAll()
            try? parent.remove()
            throw error
        }
        try cgroup.killAll()
        try parent.remove()
        #expect(parent.directories.filter { File.exists($0.path) }.isEmpty)
    }

    /// A child of this process that sleeps in the cgroup; the returned pid must be reaped.
    static func sleeper(in cgroup: Cgroup, _ script: String = "sleep 1000") throws -> Spawn.Child {
        let null = try File.open("/dev/null", O_RDWR)
        var spawn = Spawn("/bin/sh", ["sh", "-c", "read go; " + script])
        var pipe = try Pipe()
        spawn.descriptors = [pipe.reading, null.raw, null.raw]
        let child = try spawn.start()
        try cgroup.addProcess(child.pid)
        let go = Descriptor(owning: pipe.takeWriting())
        try go.writeAll("\n")
        return child
    }
}
