import CRI

/// Runs work that may block in the kernel (mounts, looks at host paths, small file writes) away from Swift's few cooperative
/// threads.
///
/// Work of a pod runs in that pod's lane: what hangs there takes a few threads of its own and holds up that pod alone.
enum Blocking {
    /// Whose work the task does; the engine sets it to the pod's sandbox.
    @TaskLocal static var lane = ""

    private static let threads = BlockingThreads(name: "blocking", most: 512, mostInLane: 4, mostInCommon: 64)

    /// Runs `work` on a thread of its own kind and returns what it returns.
    static func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        let lane = lane
        return try await withCheckedThrowingContinuation { continuation in
            if !threads.add(lane, { continuation.resume(with: Result { try work() }) }) {
                continuation.resume(
                    throwing: CRIError(.unavailable, "earlier work for this pod still hangs on the host's filesystems"))
            }
        }
    }

    /// Runs `work`, which can't fail.
    static func run<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        let lane = lane
        return await withCheckedContinuation { continuation in
            if !threads.add(lane, { continuation.resume(returning: work()) }) {
                // What can't fail is done among everybody's.
                _ = threads.add("") { continuation.resume(returning: work()) }
            }
        }
    }
}
