import FoundationEssentials
import Glibc
import ShimClient
import ShimProtocol
import TestKit
import Testing

@Suite("pause", .needs(.root, .programs, .busybox), .enabled(if: access(Binaries.path("pause"), X_OK) == 0))
struct PauseTests {
    @Test func `It names its version and ends with 0 when it is told to`() async throws {
        #expect(try await Command([Binaries.path("pause"), "-v"]).run().output.hasPrefix("pause "))
        try await TestPod.use { pod, shim in
            for signal in [SIGTERM, SIGINT] {
                let id = try await first(pod, shim, "p\(signal)")
                // Until it has asked for them, the kernel keeps signals from a namespace's first process.
                try await eventually("pause has heard the signal") {
                    try? await shim.kill(id, signal: signal)
                    return try await shim.info()[container: id]?.stage == .exited
                }
                #expect(try await shim.waitForExit(id).exitCode == 0)
            }
        }
    }

    @Test func `It reaps what others leave behind`() async throws {
        try await TestPod.use { pod, shim in
            let id = try await first(pod, shim, "p")
            // Twenty orphans, then the list of processes without them: no zombie among those that are left.
            let script = """
                for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do (sh -c 'sh -c "exit 3" & sh -c "exit 4" &' &); done
                tries=0
                while cat /proc/[0-9]*/stat 2>/dev/null | grep -q ' Z '; do
                    tries=$((tries + 1))
                    [ $tries -lt 500 ] || exit 9
                    sleep 0.02
                done
                """
            _ = try await shim.exec(pod.exec(id, "e", script))
            #expect(try await shim.waitForExit(id, exec: "e").exitCode == 0)
            #expect(try await shim.info()[container: id]?.stage == .running)
        }
    }

    /// A container whose first process is pause.
    private func first(_ pod: TestPod, _ shim: ShimConnection, _ name: String) async throws -> String {
        let place = pod.scratch.file("rootfs/pause")
        if access(place, F_OK) != 0 { try FileManager.default.copyItem(atPath: Binaries.path("pause"), toPath: place) }
        for applet in ["grep", "["] where access(pod.scratch.file("rootfs/bin/\(applet)"), F_OK) != 0 {
            #expect(symlink("busybox", pod.scratch.file("rootfs/bin/\(applet)")) == 0)
        }
        let request = try pod.request(name, "", program: ["/pause"])
        _ = try await shim.create(request)
        try await shim.start(request.id)
        return request.id
    }
}
