import FuzzKit
import Glibc
import JSON
import ShimProtocol

@testable import OCIRuntime

/// What was written to disk or comes through a socket: the container's record, exit records, the shim's frames.
func read(_ bytes: [UInt8]) {
    _ = try? ContainerRecord.parse(bytes, path: "state.json")
    _ = try? ExitRecord.read(bytes)
    _ = try? RequestFrame.read(bytes)
    _ = try? ShimFrame.read(bytes)
}

exit(Fuzzer.run(read))
