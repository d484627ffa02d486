import CRI
import Glibc
import KubeTypes
import Kubelet
import Linux
import SwiftProtobuf
import TestKit
import Testing

@testable import Kubelet

@Suite("Volumes") struct VolumeTests {
    private func paths(_ scratch: Scratch) -> PodPaths {
        PodPaths(
            KubeletConfiguration(
                nodeName: "n", root: scratch.file("root"), manifests: "/none", podLogs: scratch.file("logs"),
                containerLogs: scratch.file("links")), namespace: "default", name: "web", uid: "u1")
    }

    /// From the kernel's own table, read to its end.
    private func mounted(below path: String) throws -> [String] {
        try MountInfo.all().map(\.mountPoint).filter { $0.hasPrefix(path + "/") }
    }

    /// Paths whose mounts go with the test, however it ends.
    private func cleanPaths(_ scratch: Scratch) -> PodPaths {
        let paths = paths(scratch)
        // What is left then shows in the scratch directory, which can't be removed.
        scratch.atEnd { try? PodVolumes(paths: paths).tearDown() }
        return paths
    }

    private func pod(_ volumes: [Volume], mounts: [VolumeMount] = [], fsGroup: Int64? = nil) -> Pod {
        Given.pod([Given.container("app") { $0.volumeMounts = mounts }]) {
            $0.spec.volumes = volumes
            if let fsGroup { $0.spec.securityContext = PodSecurityContext(fsGroup: fsGroup) }
        }
    }

    private func mounts(_ pod: Pod, _ paths: PodPaths, _ environment: [(name: String, value: String)] = []) throws
        -> [String]
    {
        try ContainerMounts(pod: pod, container: pod.spec.containers[0], paths: paths, environment: environment)
            .prepare(hasHosts: false).map(\.hostPath)
    }

    @Test func `an empty directory is everybody's, and its group's when asked`() async throws {
        try await Scratch.use { scratch in
            let paths = cleanPaths(scratch)
            let volume = Volume(name: "v", emptyDir: EmptyDirVolumeSource())
            try PodVolumes(paths: paths).setUp(pod([volume]))
            #expect(try FileStatus(paths.emptyDir("v")).permissions == 0o777)
            let other = Volume(name: "w", emptyDir: EmptyDirVolumeSource())
            try PodVolumes(paths: paths).setUp(pod([other], fsGroup: 1234))
            let status = try FileStatus(paths.emptyDir("w"))
            #expect(status.permissions == 0o2777)
            // What a container has put there survives a second setting up.
            try scratch.write("root/pods/u1/volumes/kubernetes.io~empty-dir/v/kept", "x")
            try PodVolumes(paths: paths).setUp(pod([volume]))
            #expect(Files.read(paths.emptyDir("v") + "/kept") == "x")
            try PodVolumes(paths: paths).tearDown()
            #expect(!Files.exists(paths.directory))
        }
    }

    @Test(.needs(.root)) func `an empty directory in memory is a tmpfs of its size, mounted once`() async throws {
        try await Scratch.use { scratch in
            let paths = cleanPaths(scratch)
            let volume = Volume(
                name: "v", emptyDir: EmptyDirVolumeSource(medium: .memory, sizeLimit: Quantity(bytes: 1 << 20)))
            let volumes = PodVolumes(paths: paths)
            let (path, parent) = (paths.emptyDir("v"), paths.volumes + "/kubernetes.io~empty-dir")
            try volumes.setUp(pod([volume]))
            try volumes.setUp(pod([volume]))
            // By mount ids: reading the mount table on a busy machine may miss an entry.
            #expect(try PodVolumes.isMountPoint(path, in: parent))
            let statistics = try FilesystemStatistics(path)
            #expect(statistics.type == FilesystemStatistics.tmpfsMagic)
            #expect(statistics.totalBytes == 1 << 20)
            #expect(try FileStatus(path).permissions == 0o777)
            try Mount.unmount(path)
            #expect(try !PodVolumes.isMountPoint(path, in: parent))
            try volumes.setUp(pod([volume]))
            try volumes.tearDown()
            #expect(!Files.exists(paths.directory))
        }
    }

    @Test(.needs(.root)) func `what somebody else has mounted below a pod is never emptied`() async throws {
        try await Scratch.use { scratch in
            let paths = cleanPaths(scratch)
            try PodVolumes(paths: paths).setUp(pod([Volume(name: "v", emptyDir: EmptyDirVolumeSource())]))
            _ = try scratch.directory("precious")
            try scratch.write("precious/file", "x")
            let target = try scratch.directory("root/pods/u1/volumes/kubernetes.io~empty-dir/v/inside")
            try Mount.bind(scratch.file("precious"), on: target)
            #expect(throws: SystemError.self) { try PodVolumes(paths: paths).tearDown() }
            #expect(Files.read(scratch.file("precious/file")) == "x")
            try Mount.unmount(target)
            try PodVolumes(paths: paths).tearDown()
            #expect(!Files.exists(paths.directory))
        }
    }

    @Test func `host paths are what they should be, or are made`() async throws {
        try await Scratch.use { scratch in
            try scratch.write("file", "x")
            _ = try scratch.directory("folder")
            func check(_ path: String, _ type: HostPathType) throws {
                try HostPath.check(HostPathVolumeSource(type: type, path: path), volume: "v")
            }
            try check(scratch.file("anything"), .unset)
            try check(scratch.file("new/folder"), .directoryOrCreate)
            #expect(try FileStatus(scratch.file("new/folder")).isDirectory)
            try check(scratch.file("new/file"), .fileOrCreate)
            #expect(try FileStatus(scratch.file("new/file")).isRegular)
            try check(scratch.file("folder"), .directory)
            try check(scratch.file("file"), .file)
            try check("/dev/null", .charDevice)
            for (path, type) in [
                ("file", HostPathType.directory), ("folder", .file), ("none", .directory), ("none", .file),
                ("file", .socket), ("file", .blockDevice), ("file", .charDevice), ("file", .directoryOrCreate),
            ] {
                #expect(
                    throws: VolumeError(
                        "volume \"v\": hostPath type check failed: \(scratch.file(path)) is not a \(type.rawValue)")
                ) {
                    try check(scratch.file(path), type)
                }
            }
        }
    }

    @Test func `a volume that is not done is named`() async throws {
        try await Scratch.use { scratch in
            let volumes = PodVolumes(paths: paths(scratch))
            #expect(
                throws: VolumeError("volume \"c\": configMap \"settings\" not found: there is no API server to ask")
            ) {
                try volumes.setUp(pod([Volume(name: "c", configMap: ConfigMapVolumeSource(name: "settings"))]))
            }
            #expect(throws: VolumeError("volume \"x\": its source is not done yet")) {
                try volumes.setUp(pod([Volume(name: "x")]))
            }
        }
    }

    @Test(.needs(.root)) func `a sub path is bound where its owner can't move it`() async throws {
        try await Scratch.use { scratch in
            let paths = cleanPaths(scratch)
            let volume = Volume(name: "v", emptyDir: EmptyDirVolumeSource())
            let pod = pod(
                [volume],
                mounts: [
                    VolumeMount(name: "v", mountPath: "/data", subPath: "a/b"),
                    VolumeMount(name: "v", mountPath: "/conf", subPath: "file"),
                ])
            try PodVolumes(paths: paths).setUp(pod)
            let root = "root/pods/u1/volumes/kubernetes.io~empty-dir/v/"
            try scratch.write(root + "file", "content")
            let bound = try mounts(pod, paths)
            #expect(
                bound.prefix(2) == [
                    paths.subPath("v", container: "app", index: 0), paths.subPath("v", container: "app", index: 1),
                ])
            try scratch.write(root + "a/b/inner", "x")
            #expect(Files.names(bound[0]) == ["inner"])
            #expect(Files.read(bound[1]) == "content")
            // The owner moves it away: the mount stays with what was found.
            try Files.rename(scratch.file(root + "a"), scratch.file(root + "c"))
            symlink("/etc", scratch.file(root + "a"))
            #expect(Files.names(bound[0]) == ["inner"])
            // Preparing again mounts once, not one over the other; and now the link leads out.
            #expect(throws: VolumeError.self) { try mounts(pod, paths) }
            try PodVolumes(paths: paths).tearDown()
            #expect(try mounted(below: scratch.path).isEmpty)
        }
    }

    @Test(.needs(.root), arguments: ["/etc", "../../../../../../etc", "inside/../../../../etc"])
    func `a link in the volume can't lead a sub path out (CVE-2017-1002101, CVE-2021-25741)`(target: String)
        async throws
    {
        try await Scratch.use { scratch in
            let paths = cleanPaths(scratch)
            let volume = Volume(name: "v", emptyDir: EmptyDirVolumeSource())
            for subPath in ["evil", "evil/passwd", "evil/new/directory"] {
                let pod = pod([volume], mounts: [VolumeMount(name: "v", mountPath: "/data", subPath: subPath)])
                try PodVolumes(paths: paths).setUp(pod)
                let link = paths.emptyDir("v") + "/evil"
                unlink(link)
                symlink(target, link)
                #expect(throws: VolumeError.self) { try mounts(pod, paths) }
            }
            #expect(!Files.exists("/etc/new/directory"))
            #expect(try mounted(below: scratch.path).isEmpty)
        }
    }

    @Test(.needs(.root)) func `a link that stays inside the volume is followed`() async throws {
        try await Scratch.use { scratch in
            let paths = cleanPaths(scratch)
            let pod = pod(
                [Volume(name: "v", emptyDir: EmptyDirVolumeSource())],
                mounts: [VolumeMount(name: "v", mountPath: "/data", subPath: "link")])
            try PodVolumes(paths: paths).setUp(pod)
            _ = try scratch.directory("root/pods/u1/volumes/kubernetes.io~empty-dir/v/real/deep")
            symlink("real", paths.emptyDir("v") + "/link")
            #expect(Files.names(try mounts(pod, paths)[0]) == ["deep"])
        }
    }

    @Test func `an expression in a sub path must have its variables and stay inside`() async throws {
        try await Scratch.use { scratch in
            let paths = cleanPaths(scratch)
            let pod = pod(
                [Volume(name: "v", emptyDir: EmptyDirVolumeSource())],
                mounts: [VolumeMount(name: "v", mountPath: "/data", subPathExpr: "$(NAME)/x")])
            try PodVolumes(paths: paths).setUp(pod)
            #expect(throws: VolumeError("subPathExpr \"$(NAME)/x\": no variable NAME")) { try mounts(pod, paths) }
            #expect(throws: VolumeError.self) { try mounts(pod, paths, [("NAME", "../..")]) }
        }
    }

    @Test func `a termination message is read back from our own file only, and cut`() async throws {
        try await Scratch.use { scratch in
            let paths = cleanPaths(scratch)
            let container = Given.container("app") { $0.terminationMessagePath = "/dev/termination-log" }
            let file = try TerminationMessage.prepare(container, paths: paths)
            #expect(try FileStatus(file).permissions == 0o666)
            let name = String(file.dropFirst(scratch.path.count + 1))
            try scratch.write(name, String(repeating: "x", count: 5000) + "end")
            func read(_ path: String) -> String? {
                TerminationMessage.read(
                    .with {
                        $0.annotations = ["io.kubernetes.container.terminationMessagePath": "/dev/termination-log"]
                        $0.mounts = [
                            .with {
                                $0.containerPath = "/dev/termination-log"
                                $0.hostPath = path
                            }
                        ]
                    }, Given.fact("app", .exited, code: 1), paths: paths)
            }
            let text = try #require(read(file))
            #expect(text.utf8.count == 4096 && text.hasSuffix("end"))
            #expect(read("/etc/passwd") == nil)
            #expect(read(paths.directory + "/containers/../../../../../../etc/passwd") == nil)
            unlink(file)
            symlink("/etc/passwd", file)
            #expect(read(file) == nil)
            unlink(file)
            mkfifo(file, 0o666)
            #expect(read(file) == nil)
        }
    }

    @Test func `logs are removed and read below our own directory, whatever links a pod has planted`() async throws {
        try await Scratch.use { scratch in
            let paths = cleanPaths(scratch)
            _ = try scratch.directory("victim/app")
            try scratch.write("victim/app/0.log", "2026-01-01T00:00:00.1Z stdout F secret\n")
            _ = try scratch.directory("logs/default_web_u1")
            symlink(scratch.file("victim/app"), paths.logs + "/app")
            #expect(throws: SystemError.self) { _ = try PodLogs(paths: paths).open("/app/0.log", O_RDONLY) }
            let status = CRIContainerStatus.with {
                $0.logPath = paths.logs + "/app/0.log"
                $0.annotations["io.kubernetes.container.terminationMessagePolicy"] = "FallbackToLogsOnError"
            }
            #expect(TerminationMessage.read(status, Given.fact("app", .exited, code: 1), paths: paths) == nil)
            try PodLogs(paths: paths).removeAll()
            #expect(Files.read(scratch.file("victim/app/0.log")) != nil)
            #expect(!Files.exists(paths.logs))
            _ = try scratch.directory("real")
            symlink(scratch.file("victim"), paths.logs)
            #expect(throws: SystemError.self) { _ = try PodLogs(paths: paths).open("/app/0.log", O_RDONLY) }
        }
    }

    @Test func `the end of the log stands in for a message`() {
        let log =
            "2026-01-01T00:00:00.1Z stdout F one\n2026-01-01T00:00:00.2Z stderr P two\n2026-01-01T00:00:00.3Z stderr F , three\n"
        #expect(TerminationMessage.lastLines(log) == "one\ntwo, three\n")
        let long = String(
            repeating: "2026-01-01T00:00:00.1Z stdout F 0123456789012345678901234567890123456789\n", count: 200)
        #expect(TerminationMessage.lastLines(long).utf8.count == 2048)
    }
}
