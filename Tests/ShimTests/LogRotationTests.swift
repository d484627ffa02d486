import FoundationEssentials
import Glibc
import ShimClient
import ShimProtocol
import TestKit
import Testing

@Suite("A loud container's log", .needs(.root, .programs, .busybox))
struct LogRotationTests {
    private func sizes(_ directory: String) -> [Int] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).compactMap { name in
            var status = stat()
            // One may be removed while we look.
            return stat(directory + "/" + name, &status) == 0 ? Int(status.st_size) : nil
        }
    }

    @Test func `However much a container prints, its log never takes more than the limit`() async throws {
        // Checked: without the limit, and without the removal of the oldest files, it takes more.
        try await TestPod.use { pod, shim in
            var request = try pod.request("loud", "yes | head -c 30000000; echo end")
            request.log?.limit = LogLimit(fileBytes: 1 << 20, files: 3)
            _ = try await shim.create(request)
            let directory = pod.logs + "/loud"
            let watching = Task.detached {
                var most = 0
                while !Task.isCancelled {
                    most = max(most, self.sizes(directory).reduce(0, +))
                    await Task.yield()
                }
                return most
            }
            try await shim.start(request.id)
            #expect(try await shim.waitForExit(request.id).exitCode == 0)
            watching.cancel()
            #expect(await watching.value <= 3 << 20)
            let left = sizes(directory)
            #expect(left.count == 3 && left.allSatisfy { $0 <= 1 << 20 })
            #expect(try pod.logLines("loud").last?.text == "end")
            #expect(try await shim.info()[container: request.id]?.lostLogBytes == 0)
        }
    }

    @Test func `No line is lost or torn by rotations while a container prints`() async throws {
        // Checked: when reopen goes on in the old file there is nothing to rotate the second time.
        try await TestPod.use { pod, shim in
            let count = 60_000
            let request = try pod.request("loud", "i=0; while [ $i -lt \(count) ]; do echo line $i; i=$((i+1)); done")
            _ = try await shim.create(request)
            try await shim.start(request.id)
            let log = pod.logs + "/loud/0.log"
            var rotations = 0
            while try await shim.info()[container: request.id]?.exit == nil {
                #expect(rename(log, "\(log).\(1000 + rotations)") == 0)
                // It may end in between: what it wrote before is in the file that was moved.
                do { try await shim.reopenLog(request.id) } catch { break }
                rotations += 1
            }
            #expect(rotations > 1)
            #expect(try await shim.waitForExit(request.id).exitCode == 0)
            var texts: [String] = []
            for name in try FileManager.default.contentsOfDirectory(atPath: pod.logs + "/loud").sorted(by: {
                ($0 == "0.log" ? "~" : $0) < ($1 == "0.log" ? "~" : $1)
            }) {
                let text = try pod.logText("loud", file: name)
                #expect(text.isEmpty || text.hasSuffix("\n"))
                texts += text.split(separator: "\n").map { String($0.split(separator: " ", maxSplits: 3)[3]) }
            }
            #expect(texts == (0..<count).map { "line \($0)" })
        }
    }

    @Test func `A full disk neither stops nor ends a container, and its loss is told once`() async throws {
        // Checked: without the count of what was lost before, each loss is told.
        try await TestPod.use { pod, shim in
            let logs = try pod.scratch.directory("logs/loud")
            try #require(mount("tmpfs", logs, "tmpfs", 0, "size=256k") == 0)
            let request = try pod.request("loud", "yes | head -c 2000000; echo end >&2; exit 7")
            let events = shim.events
            let heard = Task {
                var losses: [String] = []
                for await event in events {
                    if case .outputLost(request.id, let reason) = event { losses.append(reason) }
                    if case .exited(request.id, nil, _) = event { break }
                }
                return losses
            }
            _ = try await shim.create(request)
            try await shim.start(request.id)
            #expect(try await shim.waitForExit(request.id).exitCode == 7)
            let losses = await heard.value
            #expect(losses.count == 1 && losses[0].contains("No space left on device"), "\(losses)")
            #expect(try await shim.info()[container: request.id]?.lostLogBytes ?? 0 > 1_000_000)
        }
    }
}
