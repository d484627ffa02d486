import KubeTypes
import Kubelet
import Logging
import ServiceLifecycle
import Synchronization
import UnixSignals

/// When the node is told to end, its pods are stopped before anything else is.
///
/// A pod has as long as its manifest gives it. Whoever won't wait asks again: a second signal leaves the pods as they are.
final class PodsEnd: Service {
    private let kubelet: Kubelet
    private let logger: Logger
    private let left = Mutex<[String]>([])

    init(kubelet: Kubelet, logger: Logger) {
        self.kubelet = kubelet
        self.logger = logger
    }

    /// The pods that a second signal left behind, as `namespace/name`.
    var leftBehind: [String] { left.withLock { $0 } }

    func run() async throws {
        try? await gracefulShutdown()  // Cancelled instead: the pods end all the same.
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { [kubelet] in
                await kubelet.stopAllPods()
                return true
            }
            group.addTask { await Self.secondSignal() }
            group.addTask { await self.tellWhoIsWaitedFor() }
            _ = await group.first { $0 }
            group.cancelAll()
        }
        let names = await names()
        left.withLock { $0 = names }
    }

    private static func secondSignal() async -> Bool {
        for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) { return true }
        return false
    }

    /// Ends only when cancelled.
    private func tellWhoIsWaitedFor() async -> Bool {
        while true {
            do { try await Task.sleep(for: .seconds(5)) } catch { return false }  // All have stopped.
            let names = await names()
            logger.notice(
                "still stopping pods; asked once more (Ctrl-C) the node leaves them",
                metadata: ["pods": "\(names.joined(separator: ", "))"])
        }
    }

    private func names() async -> [String] {
        await kubelet.podStatuses().map { "\($0.pod.metadata.namespace)/\($0.pod.metadata.name)" }
    }
}
