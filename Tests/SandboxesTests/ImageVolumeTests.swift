import CRI
import Images
import Linux
import SwiftProtobuf
import TestKit
import Testing

@testable import Sandboxes

@Suite("Image volumes", .serialized, .needs(.root, .overlayfs, .programs, .busybox, .cniPlugins))
struct ImageVolumeTests {
    private static let image = "localhost/content:latest"

    private func load(_ fixture: EngineFixture) async throws {
        let tarball = try await TestImage.busybox(in: fixture.scratch, volumes: "", name: Self.image) { root in
            try Directory.make(root + "/models/small", mode: 0o755)
            try AtomicFile.write(root + "/models/small/weights", "weights\n", mode: 0o644)
            // The first leads out of the image for whoever follows it on the host.
            try File.symlink("/etc", root + "/models/absolute")
            try File.symlink("../etc", root + "/models/upwards")
        }
        _ = try await fixture.images.load(tarball: tarball)
    }

    private func config(
        _ fixture: EngineFixture, _ name: String, _ command: [String], subPath: String = "",
        _ change: (inout CRIMount) -> Void = { _ in }
    ) -> CRIContainerConfig {
        var config = fixture.containerConfig(name, command)
        config.mounts = [
            CRIMount.with {
                $0.containerPath = "/volume"
                $0.image.image = Self.image
                $0.imageSubPath = subPath
                $0.readonly = true
                change(&$0)
            }
        ]
        return config
    }

    @Test("the image's content can be read and run, not written, and its id is told; nothing is left of it")
    func content() async throws {
        try await EngineFixture.use { fixture in
            try await load(fixture)
            let pod = fixture.sandboxConfig("imagevolume")
            let sandbox = try await fixture.run(pod)
            let container = try await fixture.create(
                config(fixture, "main", ["/bin/sleep", "1000"]), in: sandbox, of: pod)
            try await fixture.start(container)
            let answer = try await fixture.exec(
                container,
                [
                    "/bin/sh", "-c",
                    "cat /volume/models/small/weights; /volume/bin/echo run; touch /volume/x 2>/dev/null || echo readonly",
                ])
            #expect(String(decoding: answer.stdout, as: UTF8.self) == "weights\nrun\nreadonly\n")
            let mount = try #require(try await fixture.status(container).mounts.first)
            #expect(mount.image.image == Self.image && mount.image.imageRef.contains("sha256:"))
            try await fixture.stopAndRemove(sandbox)
            #expect(try await fixture.images.snapshotContainers().isEmpty)
            #expect(MountTable.below(fixture.scratch.path).isEmpty)
        }
    }

    @Test("a sub path is resolved inside the image, whatever its links say")
    func subPath() async throws {
        // Checked: with the path joined to the mount and bound as text, /volume was the host's /etc.
        try await EngineFixture.use { fixture in
            try await load(fixture)
            let pod = fixture.sandboxConfig("subpath")
            let sandbox = try await fixture.run(pod)
            for (name, path, expected) in [
                ("plain", "models/small", "weights"), ("absolute", "models/absolute", "group passwd"),
                ("upwards", "models/upwards", "group passwd"),
            ] {
                let container = try await fixture.create(
                    config(fixture, name, ["/bin/sh", "-c", "ls /volume | xargs echo"], subPath: path), in: sandbox,
                    of: pod)
                try await fixture.start(container)
                #expect(try await fixture.exited(container).exitCode == 0)
                #expect(try fixture.log("subpath", name).hasSuffix(" stdout F \(expected)\n"), "\(name)")
            }
            for path in ["none", "models/small/weights", "../etc", "/etc"] {
                let asked = config(fixture, "bad", ["/bin/true"], subPath: path)
                let failure = await refusal { _ = try await fixture.create(asked, in: sandbox, of: pod) }
                #expect(failure?.message.contains("ImageVolumeMountFailed") == true, "\(path): \(failure as Any)")
            }
            try await fixture.stopAndRemove(sandbox)
            #expect(MountTable.below(fixture.scratch.path).isEmpty)
        }
    }

    @Test("a writable one, one with a host path, and one of an image that isn't there are refused by name")
    func refusals() async throws {
        try await EngineFixture.use { fixture in
            try await load(fixture)
            let pod = fixture.sandboxConfig("refused")
            let sandbox = try await fixture.run(pod)
            for (change, text) in [
                ({ $0.readonly = false }, "can only be mounted readonly"),
                ({ $0.hostPath = "/etc" }, "host_path and image at once"),
                ({ $0.image.image = "localhost/none:v1" }, "localhost/none:v1"),
            ] as [((inout CRIMount) -> Void, String)] {
                let asked = config(fixture, "main", ["/bin/true"], subPath: "", change)
                let failure = await refusal { _ = try await fixture.create(asked, in: sandbox, of: pod) }
                #expect(failure?.message.contains(text) == true, "\(failure as Any)")
            }
            try await fixture.stopAndRemove(sandbox)
        }
    }
}
