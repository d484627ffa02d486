import Sandboxes
import Testing

@testable import Node

@Suite("Runtimes in the configuration file")
struct RuntimeWishesTests {
    private func parse(_ text: String) throws -> RuntimeWishes {
        try NodeConfiguration.parse(text, file: "/etc/kubesim/kubesim.yaml").runtime
    }

    @Test("handlers come as a path, or with the annotations that they let through")
    func handlers() throws {
        let wishes = try parse(
            """
            runtimeHandlers:
              runc: /usr/sbin/runc
              kata:
                path: /usr/bin/kata
                podAnnotations: ["io.katacontainers.*"]
                containerAnnotations: [exact]
            cgroupDriver: systemd
            seccompProfileRoot: /var/lib/kubelet/seccomp
            cdiSpecDirs: [/etc/cdi]
            checkpointDirectory: /srv/checkpoints
            """)
        #expect(
            wishes.handlers == [
                "runc": RuntimeHandler(path: "/usr/sbin/runc"),
                "kata": RuntimeHandler(
                    path: "/usr/bin/kata", podAnnotations: ["io.katacontainers.*"], containerAnnotations: ["exact"]),
            ])
        var configuration = EngineConfiguration(
            root: "/r", state: "/s", runtimePath: "/oci", shimPath: "/shim", pausePath: "/pause")
        wishes.apply(to: &configuration)
        #expect(configuration.runtimeHandlers["runc"]?.path == "/usr/sbin/runc")
        #expect(configuration.cgroupDriver == .systemd && configuration.cdiDirectories == ["/etc/cdi"])
        #expect(configuration.seccompProfileRoot == "/var/lib/kubelet/seccomp")
        #expect(configuration.checkpointDirectory == "/srv/checkpoints")
    }

    @Test("what makes no sense is refused with file, line and key")
    func refusals() {
        for (text, reason) in [
            ("runtimeHandlers: /usr/sbin/runc", "must be a mapping"),
            ("runtimeHandlers: {Runc: /x}", "no name of a handler"),
            ("runtimeHandlers: {runc: runc}", "runtimeHandlers.runc\" must be an absolute path"),
            ("runtimeHandlers: {runc: {root: /x}}", "unknown key \"root\""),
            ("runtimeHandlers: {runc: {podAnnotations: [a]}}", "runtimeHandlers.runc: path is missing"),
            ("cgroupDriver: cgroupfs2", "must be cgroupfs or systemd"),
            ("cdiSpecDirs: [etc/cdi]", "not an absolute path"), ("seccompProfileRoot: here", "absolute path"),
        ] {
            let error = #expect(throws: NodeError.self, "\(text)") { try parse(text) }
            #expect(error?.description.contains(reason) == true, "\(text): \(error as Any)")
            #expect(error?.description.contains("/etc/kubesim/kubesim.yaml:1") == true, "\(text): \(error as Any)")
        }
    }
}
