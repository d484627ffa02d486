import Dispatch

/// Runs work that may block in the kernel (mounts, stats of host paths, small file writes) away from Swift's few
/// cooperative threads, so that a hung filesystem holds up the one pod that uses it.
enum Blocking {
    private static let queue = DispatchQueue(label: "kubesim.blocking", attributes: .concurrent)

    /// Runs `work` on a thread of its own kind and returns what it returns.
    static func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try work() }) }
        }
    }

    /// Runs `work`, which can't fail.
    static func run<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: work()) }
        }
    }
}
