import CRI
import Glibc
import Images
import Linux
import SwiftProtobuf
import TestKit
import Testing

@testable import Sandboxes

@Suite("Checkpoints of containers", .serialized, .needs(.root, .overlayfs, .programs, .busybox, .cniPlugins))
struct CheckpointTests {
    /// criu as far as a checkpoint needs it: "dumps" a few files, and starts a sleeper as what it "restores".
    private static func criu(_ scratch: Scratch) throws -> RuntimeHandler {
        let folder = try scratch.directory("path")
        try scratch.write(
            "path/criu",
            """
            #!/bin/sh
            verb=$1
            while [ $# -gt 0 ]; do
                case $1 in
                    --images-dir) images=$2 ;;
                    --work-dir) work=$2 ;;
                    --pidfile) file=$2 ;;
                esac
                shift
            done
            echo "$verb $(ls $images | xargs echo)" >> \(scratch.path)/calls
            if [ $verb = restore ]; then sleep 1234 </dev/null >/dev/null 2>&1 & echo $! > $file; exit 0; fi
            for name in inventory core-1 pages-1; do echo $name > $images/$name.img; done
            echo dumped > $work/dump.log

            """)
        let runtime = try scratch.write(
            "runtime", "#!/bin/sh\nPATH=\(folder):$PATH exec \(Binaries.path("kubesim-oci")) \"$@\"\n")
        chmod(folder + "/criu", 0o755)
        chmod(runtime, 0o755)
        return RuntimeHandler(path: runtime)
    }

    @Test(
        "a checkpoint has processes, specification, status and the container's files; a new container is restored from it"
    )
    func thereAndBack() async throws {
        try await EngineFixture.use(handlers: { ["": try Self.criu($0)] }) { fixture in
            let pod = fixture.sandboxConfig("checkpoint")
            let sandbox = try await fixture.run(pod)
            let container = try await fixture.create(
                fixture.containerConfig(
                    "main", ["/bin/sh", "-c", "echo hello; touch /made; rm /etc/group; exec sleep 1000"]),
                in: sandbox, of: pod)
            try await fixture.start(container)
            try await eventually("the container has done its work") {
                try await fixture.exec(container, ["/bin/sh", "-c", "test -e /made && ! test -e /etc/group"]).exitCode
                    == 0
            }
            try Directory.make(fixture.configuration.checkpointDirectory, mode: 0o700)
            let archive = fixture.configuration.checkpointDirectory + "/one.tar"
            _ = try await fixture.engine.checkpointContainer(
                CRICheckpointContainerRequest.with {
                    $0.containerID = container
                    $0.location = archive
                    // As long as can be said.
                    $0.timeout = .max
                })
            #expect(try await fixture.status(container).state == .containerRunning)
            #expect(try FileStatus(archive).permissions == 0o600)
            let listed = try await Command(["tar", "-tf", archive]).run().output.split(separator: "\n").map(String.init)
            #expect(
                Set(listed).isSuperset(of: [
                    "config.dump", "spec.dump", "status.dump", "checkpoint/", "checkpoint/core-1.img",
                    "checkpoint/descriptors.json", "checkpoint/pages-1.img", "dump.log", "rootfs-diff.tar",
                    "container.log",
                ]), "\(listed)")
            let files = try await Command([
                "sh", "-c", "tar -xOf \(archive) rootfs-diff.tar | tar -tf -",
            ]).run().output
            #expect(files.contains("made\n") && files.contains("etc/.wh.group\n"), "\(files)")
            let config = try await Command(["tar", "-xOf", archive, "config.dump"]).run().output
            #expect(config.contains("\"id\":\"\(container)\""))

            var again = fixture.containerConfig("again", ["/bin/false"])
            again.annotations = [Engine.restoreAnnotation: "one.tar"]
            let restored = try await fixture.create(again, in: sandbox, of: pod)
            try await fixture.start(restored)
            #expect(try await fixture.status(restored).state == .containerRunning)
            let pid = try await fixture.pid(restored)
            // The shell that stands for criu has begun it by now; the shell's child becomes the sleeper.
            try await eventually("what was restored runs") {
                try File.readText("/proc/\(pid)/cmdline").contains("1234")
            }
            let calls = try File.readText(fixture.scratch.file("calls"))
            #expect(calls.contains("restore core-1.img descriptors.json inventory.img pages-1.img"), "\(calls)")
            _ = try await fixture.engine.stopContainer(CRIStopContainerRequest.with { $0.containerID = restored })
            #expect(try await fixture.status(restored).exitCode == 137)
            try await fixture.stopAndRemove(sandbox)
        }
    }

    @Test("what criu says of its failure is shown, and nothing of the checkpoint is left")
    func failure() async throws {
        try await EngineFixture.use(handlers: { scratch in
            let handler = try Self.criu(scratch)
            try scratch.write(
                "path/criu",
                """
                #!/bin/sh
                while [ $# -gt 0 ]; do case $1 in --work-dir) work=$2 ;; esac; shift; done
                echo '(00.1) Error (vdso.c:1): no table' > $work/dump.log
                exit 1

                """)
            return ["": handler]
        }) { fixture in
            let pod = fixture.sandboxConfig("nocriu")
            let sandbox = try await fixture.run(pod)
            let container = try await fixture.create(
                fixture.containerConfig("main", ["/bin/sleep", "1000"]), in: sandbox, of: pod)
            let location = fixture.scratch.file("archive.tar")
            let request = CRICheckpointContainerRequest.with {
                $0.containerID = container
                $0.location = location
            }
            let early = await refusal { _ = try await fixture.engine.checkpointContainer(request) }
            #expect(early?.code == .failedPrecondition)
            try await fixture.start(container)
            let failure = await refusal { _ = try await fixture.engine.checkpointContainer(request) }
            #expect(failure?.message.contains("Error (vdso.c:1): no table") == true, "\(failure as Any)")
            #expect(!File.exists(location) && !File.exists(location + ".part"))
            let left = try Directory.names(fixture.configuration.root + "/containers/\(container)")
            #expect(!left.contains { $0.hasPrefix("checkpoint") }, "\(left)")
            #expect(try await fixture.status(container).state == .containerRunning)
            try await fixture.stopAndRemove(sandbox)
        }
    }

    @Test("from an archive only the images of processes are taken, and it is found only where checkpoints lie")
    func hostileArchive() async throws {
        // Checked: with every file below checkpoint/ taken, the network's tables and the script were there; with the archive
        // opened by its path alone, the link's target was unpacked.
        try await Scratch.use { scratch in
            let folder = try scratch.directory("checkpoints")
            let tree = try scratch.directory("tree/checkpoint")
            for name in ["inventory.img", "core-1.img", "pages-1.img", "descriptors.json", "pagemap-shmem-7.img"] {
                try scratch.write("tree/checkpoint/\(name)", name)
            }
            for name in ["iptables-9.img", "tmpfs-dev-73.tar.gz.img", "run-me.sh", "core-1.img.sh", "netdev-9.img"] {
                try scratch.write("tree/checkpoint/\(name)", "evil")
            }
            try scratch.write("tree/config.dump", "{}")
            try scratch.write("tree/spec.dump", "{}")
            try File.symlink("/etc/passwd", tree + "/mm-1.img")
            _ = try scratch.directory("tree/checkpoint/fs-1.img")
            try await Command(["tar", "-C", scratch.file("tree"), "-cf", folder + "/good.tar", "."]).run()
            let target = scratch.file("out")
            try CheckpointImages.unpack("good.tar", below: folder, into: target)
            #expect(
                try Directory.names(target).sorted() == [
                    "core-1.img", "descriptors.json", "inventory.img", "pagemap-shmem-7.img", "pages-1.img",
                ])
            #expect(try FileStatus(target + "/core-1.img").permissions == 0o600)

            try await Command(["mv", folder + "/good.tar", scratch.file("outside.tar")]).run()
            try File.symlink(scratch.file("outside.tar"), folder + "/link.tar")
            try await Command(["tar", "-C", scratch.file("tree"), "-cf", folder + "/none.tar", "config.dump"]).run()
            for name in ["link.tar", "../outside.tar", "none.tar", "missing.tar"] {
                #expect(throws: ImageError.self, "\(name)") {
                    try CheckpointImages.unpack(name, below: folder, into: scratch.file("bad"))
                }
                #expect(!File.exists(scratch.file("bad")), "\(name)")
            }
            #expect(throws: ImageError.self) {
                try CheckpointImages.unpack(
                    "outside.tar", below: scratch.path, into: scratch.file("bad"), limitBytes: 8)
            }
        }
    }

    @Test("a request names a checkpoint, never a path")
    func names() async throws {
        try await EngineFixture.use { fixture in
            let pod = fixture.sandboxConfig("paths")
            let sandbox = try await fixture.run(pod)
            for name in ["/etc/passwd", "../x", "", "."] {
                var config = fixture.containerConfig("main", ["/bin/true"])
                config.annotations = [Engine.restoreAnnotation: name]
                let asked = config
                let failure = await refusal { _ = try await fixture.create(asked, in: sandbox, of: pod) }
                #expect(failure?.message.contains("not the name of a checkpoint") == true, "\(name)")
            }
            try await fixture.stopAndRemove(sandbox)
        }
    }

    @Test("tar reads what the writer wrote, long names, links and big numbers too")
    func tar() async throws {
        try await Scratch.use { scratch in
            let long = String(repeating: "long/", count: 30) + "name"
            let writer = TarWriter(
                try File.open(scratch.file("a.tar"), O_WRONLY | O_CREAT | O_EXCL, mode: 0o600))
            try writer.add("plain", Array("content".utf8))
            try writer.add(TarWriter.Entry(name: long, kind: .file(size: 0), mode: 0o4755, uid: 3_000_000, gid: 7))
            try writer.add(
                TarWriter.Entry(name: "link", kind: .link(target: String(repeating: "t", count: 150)), mode: 0o777))
            try writer.add(TarWriter.Entry(name: "node", kind: .device(block: false, major: 1, minor: 3), mode: 0o666))
            try writer.finish()
            let text = try await Command(["tar", "--numeric-owner", "-tvf", scratch.file("a.tar")]).run().output
            #expect(text.contains("-rwsr-xr-x 3000000/7 "), "\(text)")
            #expect(
                text.contains(" \(long)\n") && text.contains(" -> \(String(repeating: "t", count: 150))\n"), "\(text)")
            #expect(text.contains("crw-rw-rw- 0/0") && text.contains(" 1,3 "), "\(text)")
            let content = try await Command(["tar", "-xOf", scratch.file("a.tar"), "plain"]).run().output
            #expect(content == "content")
        }
    }
}
