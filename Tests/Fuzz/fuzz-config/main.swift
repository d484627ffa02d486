import FuzzKit
import Glibc
import JSON
import OCISpec

@testable import OCIRuntime

/// `config.json`: read, judged, planned, and written again as it was understood.
func read(_ bytes: [UInt8]) {
    guard let spec = try? Spec.read(bytes, deferringSeccomp: false) else { return }
    let deferring = try? Spec.read(bytes, deferringSeccomp: true)
    precondition(deferring != nil, "what is read whole is read without its filter too")
    precondition((try? Spec.read(spec.encoded(), deferringSeccomp: false)) == spec, "what is written is read as it was")
    if spec.validateForStart().isEmpty, let id = try? ContainerID("fuzz") {
        _ = try? LaunchPlan(spec, id: id, bundle: "/nonexistent", warn: { _ in })
    }
}

exit(Fuzzer.run(read))
