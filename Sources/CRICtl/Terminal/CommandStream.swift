import ArgumentParser
import CRI
import Glibc
import Streaming

/// Joins this process's terminal or pipes to a stream, and ends as the command did.
enum CommandStream {
    /// - Returns: the command's exit code; 0 when the person detached.
    static func join(_ client: StreamingClient, input: Bool, tty: Bool) async throws -> Int32 {
        let terminal = tty && input ? try RawTerminal(STDIN_FILENO) : nil
        defer { terminal?.restore() }
        let (noSizes, none) = AsyncStream.makeStream(of: RemoteCommand.TerminalSize.self)
        none.finish()
        let detached = DetachedFlag()
        var standardInput: StandardInput?
        if input {
            standardInput = StandardInput(descriptor: STDIN_FILENO, detaches: tty, detached: { detached.set() })
        }
        let reader = standardInput
        let sizes = terminal?.sizes ?? noSizes
        let status: RemoteStatus = try await withThrowingTaskGroup(of: RemoteStatus?.self) { group in
            defer { group.cancelAll() }
            group.addTask {
                try await client.run(input: reader, terminal: tty, sizes: sizes) { channel, bytes in
                    if channel == .stderr { Output.current.writeError(bytes) } else { Output.current.write(bytes) }
                }
            }
            group.addTask {
                await detached.wait()
                return nil
            }
            return try await group.next().flatMap { $0 } ?? .success
        }
        switch status {
        case .success: return 0
        case .exited(let code): return code
        case .failed(let message): throw Failure(message)
        }
    }
}

/// Says once that the person has left.
private final class DetachedFlag: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func set() { continuation.finish() }

    func wait() async { for await _ in stream {} }
}
