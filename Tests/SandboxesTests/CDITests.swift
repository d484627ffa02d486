import CRI
import JSON
import OCISpec
import SwiftProtobuf
import TestKit
import Testing

@testable import Sandboxes

@Suite("CDI devices")
struct CDITests {
    private static let gpu = """
        {"cdiVersion": "0.6.0", "kind": "vendor.com/gpu", "containerEdits": {"env": ["VENDOR=yes"]},
         "devices": [
           {"name": "zero", "containerEdits": {
              "env": ["GPU=0"],
              "deviceNodes": [{"path": "/dev/gpu0", "hostPath": "/dev/null", "permissions": "rw"}],
              "mounts": [{"hostPath": "/usr/lib/gpu.so", "containerPath": "/usr/lib/gpu.so", "options": ["ro"]}],
              "hooks": [{"hookName": "createContainer", "path": "/usr/bin/hook", "args": ["hook", "update"]}],
              "additionalGids": [44, 0], "intelRdt": {"closID": "gpu"}}},
           {"name": "one", "containerEdits": {"env": ["GPU=1"]}}]}
        """

    private func registry(_ files: [String: String], _ body: (CDIRegistry) throws -> Void) async throws {
        try await Scratch.use { scratch in
            let (low, high) = (try scratch.directory("low"), try scratch.directory("high"))
            for (name, text) in files { try scratch.write(name, text) }
            try body(CDIRegistry(directories: [low, high, scratch.file("none")]))
        }
    }

    @Test("a device brings its variables, nodes, mounts, hooks and groups, and its file's own, once")
    func edits() async throws {
        try await registry(["low/gpu.json": Self.gpu]) { registry in
            var edits = try registry.edits(for: ["vendor.com/gpu=zero", "vendor.com/gpu=one"])
            #expect(edits.count == 3)
            for index in edits.indices { try edits[index].lookAtHost() }
            let spec = try ContainerSpec.build(
                plainInput {
                    $0.cdi = edits
                    $0.user = ResolvedUser(uid: 1000, gid: 1000, groups: [1000], home: nil)
                })
            #expect(spec.validate().isEmpty)
            #expect(spec.process?.env.contains("VENDOR=yes") == true)
            // The later device's value, and only that.
            #expect(spec.process?.env.filter { $0.hasPrefix("GPU=") } == ["GPU=1"])
            #expect(spec.process?.user.additionalGids == [1000, 44])
            let node = try #require(spec.linux?.devices.first { $0.path == "/dev/gpu0" })
            #expect(node.type == "c" && node.major == 1 && node.minor == 3 && node.uid == 1000 && node.gid == 1000)
            #expect(
                spec.linux?.resources?.devices.last
                    == LinuxDeviceCgroup(allow: true, type: "c", major: 1, minor: 3, access: "rw"))
            let mount = try #require(spec.mounts.first { $0.destination == "/usr/lib/gpu.so" })
            #expect(mount.type == "bind" && mount.options == ["rbind", "ro"])
            #expect(spec.hooks?.createContainer.map(\.args) == [["hook", "update"]])
            #expect(spec.linux?.intelRdt?.closID == "gpu")
        }
    }

    @Test("YAML says the same as JSON; of a later directory a device counts more, in one it may stand only once")
    func files() async throws {
        let yaml = """
            cdiVersion: "0.5.0"
            kind: vendor.com/gpu
            devices:
            - name: "zero"
              containerEdits:
                env: [FROM=yaml]
                deviceNodes:
                - {path: /dev/x, type: c, major: 0x1, minor: 3, fileMode: 0o600}
            """
        try await registry(["low/gpu.json": Self.gpu, "high/gpu.yaml": yaml]) { registry in
            let edits = try registry.edits(for: ["vendor.com/gpu=zero"])
            #expect(edits.last?.env == ["FROM=yaml"])
            #expect(edits.last?.deviceNodes.first?.major == 1 && edits.last?.deviceNodes.first?.fileMode == 0o600)
            // The other directory's file still has the device that this one hasn't.
            #expect(try registry.edits(for: ["vendor.com/gpu=one"]).last?.env == ["GPU=1"])
        }
        try await registry(["low/a.json": Self.gpu, "low/b.json": Self.gpu]) { registry in
            let error = #expect(throws: CRIError.self) { try registry.edits(for: ["vendor.com/gpu=one"]) }
            #expect(error?.message == "CDI device \"vendor.com/gpu=one\": 2 files describe it")
        }
    }

    @Test("a missing device is named, with the files that could not be read")
    func missing() async throws {
        let files = [
            "low/broken.json": "{", "low/new.json": #"{"cdiVersion": "2.0.0", "kind": "a.b/c", "devices": []}"#,
            "low/kind.json": #"{"cdiVersion": "0.6.0", "kind": "nothing", "devices": []}"#,
            "low/relative.json":
                #"{"cdiVersion":"0.6.0","kind":"a.b/c","devices":[{"name":"x","containerEdits":{"deviceNodes":[{"path":"dev/x"}]}}]}"#,
            "low/ignored.txt": "not ours",
        ]
        try await registry(files) { registry in
            #expect(registry.problems.count == 4)
            let error = #expect(throws: CRIError.self) { try registry.edits(for: ["a.b/c=x"]) }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.contains("\"a.b/c=x\": no file describes it (not read: ") == true)
            #expect(error?.message.contains("broken.json") == true)
        }
    }

    @Test("devices come from the field and from annotations, each once, and must be qualified names")
    func names() throws {
        var config = CRIContainerConfig()
        config.cdiDevices = [CRICDIDevice.with { $0.name = "vendor.com/gpu=zero" }]
        config.annotations = [
            "cdi.k8s.io/plugin": "vendor.com/gpu=zero,vendor.com/gpu=one", "unrelated": "vendor.com/gpu=two",
        ]
        #expect(try CDIRegistry.names(config) == ["vendor.com/gpu=zero", "vendor.com/gpu=one"])
        for bad in ["gpu", "vendor.com/gpu", "vendor.com/gpu=", "/gpu=0", "vendor.com/../x=1", "a/b=c d"] {
            config.cdiDevices = [CRICDIDevice.with { $0.name = bad }]
            #expect(throws: CRIError.self, "\(bad)") { try CDIRegistry.names(config) }
        }
    }
}
