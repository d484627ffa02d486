import CRI
import Glibc
import Linux
import SwiftProtobuf
import TestKit
import Testing

@testable import Sandboxes

@Suite("Runtime handlers", .serialized, .needs(.root, .overlayfs, .programs, .busybox, .cniPlugins))
struct HandlerTests {
    /// A pod's whole life with another OCI runtime.
    private func live(_ program: String, wrapped: Bool = false) async throws {
        try await EngineFixture.use(handlers: { try Self.handlers(program, wrapped: wrapped, $0) }) { fixture in
            let pod = fixture.sandboxConfig("handler")
            let request = CRIRunPodSandboxRequest.with {
                $0.config = pod
                $0.runtimeHandler = "other"
            }
            let sandbox = try await fixture.engine.runPodSandbox(request).podSandboxID
            let shown = try await fixture.engine.podSandboxStatus(
                CRIPodSandboxStatusRequest.with { $0.podSandboxID = sandbox })
            #expect(shown.status.runtimeHandler == "other")
            let container = try await fixture.create(
                fixture.containerConfig("main", ["/bin/sh", "-c", "echo up; exec sleep 1000"]), in: sandbox, of: pod)
            try await fixture.start(container)
            let answer = try await fixture.exec(container, ["/bin/echo", "inside"])
            #expect(String(decoding: answer.stdout, as: UTF8.self) == "inside\n")
            _ = try await fixture.engine.stopContainer(CRIStopContainerRequest.with { $0.containerID = container })
            #expect(try await fixture.status(container).exitCode == 137)
            #expect(try fixture.log("handler", "main").contains("stdout F up"))
            try await fixture.stopAndRemove(sandbox)
            let names = try await fixture.engine.status(CRIStatusRequest()).runtimeHandlers.map(\.name)
            #expect(names == ["", "kubesim-oci", "other"])
        }
    }

    private static func handlers(
        _ program: String, wrapped: Bool, _ scratch: Scratch
    ) throws -> [String: RuntimeHandler] {
        guard wrapped else { return ["other": RuntimeHandler(path: program)] }
        // crun refuses a host with both kinds of cgroups: in a mount namespace of its own it sees one.
        let script = try scratch.write(
            "wrapped",
            """
            #!/bin/sh
            exec unshare -m --propagation private sh -c 'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$0" "$@"' \
            \(program) "$@"

            """)
        chmod(script, 0o755)
        return ["other": RuntimeHandler(path: script)]
    }

    @Test("a pod runs with runc", .needs(.runc))
    func runc() async throws { try await live(try path("runc")) }

    @Test("a pod runs with crun", .needs(.crun))
    func crun() async throws { try await live(try path("crun"), wrapped: true) }

    private func path(_ name: String) throws -> String {
        let places = ["/usr/local/sbin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"].map { "\($0)/\(name)" }
        return try #require(places.first { File.exists($0) })
    }

    @Test("a handler that isn't configured is refused with the names of those that are")
    func unknown() async throws {
        try await EngineFixture.use { fixture in
            let failure = await refusal {
                _ = try await fixture.engine.runPodSandbox(
                    CRIRunPodSandboxRequest.with {
                        $0.config = fixture.sandboxConfig("unknown")
                        $0.runtimeHandler = "gvisor"
                    })
            }
            #expect(failure?.code == .notFound)
            #expect(
                failure?.message
                    == "pod default/unknown: no runtime handler \"gvisor\" (there are: kubesim-oci); add it to runtimeHandlers"
            )
        }
    }
}
