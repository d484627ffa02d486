import Testing

@testable import Cgroups

@Suite("Finding the cgroup mounts")
struct CgroupHostTests {
    private let other = "23 1 0:22 / / rw,relatime - overlay overlay rw,lowerdir=/a - cgrou,upperdir=/b"

    @Test("version 1 alone, with controllers mounted together")
    func v1() {
        let host = CgroupHost(
            mountinfo: Array(
                """
                \(other)
                32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid - cgroup cgroup rw,cpu,cpuacct
                33 31 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
                40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,release_agent=/x,name=systemd
                41 31 0:30 / /mnt/memory rw - cgroup cgroup rw,memory

                """.utf8))
        #expect(host.mode == .v1)
        #expect(host.v1.map(\.controllers) == [["cpu", "cpuacct"], ["memory"], ["name=systemd"]])
        #expect(host.v1.map(\.mountPoint)[1] == "/sys/fs/cgroup/memory")
        #expect(host.has("cpuacct"))
        #expect(!host.has("pids"))
    }

    @Test("hybrid: version 2 beside version 1")
    func hybrid() {
        let host = CgroupHost(
            mountinfo: Array(
                """
                33 31 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
                41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate
                """.utf8))
        #expect(host.mode == .hybrid)
        #expect(host.unified?.mountPoint == "/sys/fs/cgroup/unified")
    }

    @Test("version 2 alone, mounted twice: the usual place counts, and the part that a container sees is known")
    func v2() {
        let host = CgroupHost(
            mountinfo: Array(
                """
                41 31 0:38 / /mnt/cgroup rw - cgroup2 none rw
                42 31 0:38 /docker/abc /sys/fs/cgroup rw shared:3 - cgroup2 cgroup2 rw
                """.utf8))
        #expect(host.mode == .v2)
        #expect(host.unified == .init(mountPoint: "/sys/fs/cgroup", root: "/docker/abc", controllers: []))
    }

    @Test("this host's own mounts are found")
    func thisHost() throws {
        let host = try CgroupHost.detect()
        #expect(!host.v1.isEmpty || host.unified != nil)
    }

    @Test(
        "a path that leads elsewhere is refused",
        arguments: ["", "/", "//", "/..", "/a/../..", "a/..", "/a/./b", "/a\0b"])
    func badPaths(path: String) {
        #expect(throws: CgroupError.self) { try Cgroup(path: path, host: CgroupHost()) }
    }

    @Test("an absolute path stands below every mount")
    func absolutePath() throws {
        let host = CgroupHost(
            v1: [
                .init(mountPoint: "/c/cpu", controllers: ["cpu", "cpuacct"]),
                .init(mountPoint: "/c/pids", controllers: ["pids"]),
            ],
            unified: .init(mountPoint: "/c/unified", controllers: ["hugetlb"]))
        let cgroup = try Cgroup(path: "/a//b/", host: host)
        #expect(cgroup.path == "/a/b")
        #expect(cgroup.directories.map(\.path) == ["/c/cpu/a/b", "/c/pids/a/b", "/c/unified/a/b"])
        #expect(cgroup.directory("cpuacct") == "/c/cpu/a/b")
        #expect(cgroup.directory("memory") == nil)
    }

    @Test("the own cgroups are read by controller")
    func ownCgroups() {
        let own = Cgroup.parse("4:cpu,cpuacct:/user:slice\n1:name=systemd:/x\n0::/y\n")
        #expect(own == ["cpu": "/user:slice", "cpuacct": "/user:slice", "name=systemd": "/x", "": "/y"])
    }
}
