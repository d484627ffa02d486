import ArgumentParser
import CRI
import CRIgRPC
import Glibc
import Logging
import Synchronization
import TestKit
import Testing

@testable import CRICtl

/// A recording runtime behind a real socket.
struct Fixture: Sendable {
    let runtime = RecordingRuntime()
    let scratch: Scratch
    let endpoint: String

    /// Serves a fresh recording runtime while `body` runs.
    static func use(_ body: (Fixture) async throws -> Void) async throws {
        try await Scratch.use { scratch in
            let fixture = Fixture(scratch: scratch, endpoint: "unix://" + scratch.file("cri.sock"))
            let server = try CRIServer(
                endpoint: try UnixEndpoint(fixture.endpoint), runtime: fixture.runtime, images: fixture.runtime,
                logger: Logger(label: "test"))
            let serving = Task { try await server.run() }
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await body(fixture)) } catch { outcome = .failure(error) }
            serving.cancel()
            _ = await serving.result
            try outcome.get()
        }
    }

    /// What a command printed, and how it ended.
    struct Printed: Sendable {
        var output = ""
        var errors = ""
        var failure: String?
        var code: Int32 = 0

        var lines: [String] { output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }

        /// A line, empty when there is none.
        func line(_ index: Int) -> String { lines.indices.contains(index) ? lines[index] : "" }
    }

    /// Runs `crictl` with the arguments against the socket.
    func crictl(_ arguments: String..., terminal: Bool = false) async throws -> Printed {
        try await crictl(arguments, terminal: terminal)
    }

    func crictl(_ arguments: [String], terminal: Bool = false) async throws -> Printed {
        let heard = Mutex<([UInt8], [UInt8])>(([], []))
        let output = Output(
            write: { bytes in heard.withLock { $0.0 += bytes } },
            writeError: { bytes in heard.withLock { $0.1 += bytes } },
            isTerminal: terminal)
        var printed = Printed()
        let configuration = try scratch.write("crictl.yaml", "timeout: 120\n")
        let options = try GlobalOptions.parse(["-r", endpoint, "--config", configuration])
        do {
            try await Output.$current.withValue(output) { try await CRICtlCommand.execute(arguments, options) }
        } catch {
            printed.failure = CRICtlVerbs.message(for: error)
            printed.code = CRICtlVerbs.exitCode(for: error).rawValue
        }
        let (out, err) = heard.withLock { $0 }
        printed.output = String(decoding: out, as: UTF8.self)
        printed.errors = String(decoding: err, as: UTF8.self)
        return printed
    }
}

/// Nanoseconds since 1970, some seconds ago.
func ago(_ seconds: Int64) -> Int64 { Timestamp.now - seconds * 1_000_000_000 - 500_000_000 }
