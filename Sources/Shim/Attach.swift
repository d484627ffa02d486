import Linux
import ShimProtocol

extension ShimServer {
    /// Connects a client's descriptors with a container's streams.
    func attach(
        _ container: PodContainer, _ streams: StreamSet, _ descriptors: inout PassedDescriptors
    ) throws(ShimFailure) {
        guard container.stage == .created || container.stage == .running else {
            throw ShimFailure(
                .wrongStage, "container \(container.id) is \(container.stage.rawValue): nothing to attach to")
        }
        guard descriptors.count == streams.count else {
            throw ShimFailure(.invalid, "attach: the descriptors do not match the request")
        }
        do throws(SystemError) {
            let input = streams.contains(.stdin) ? descriptors.next() : nil
            let output = streams.contains(.stdout) ? descriptors.next() : nil
            let errors = streams.contains(.stderr) ? descriptors.next() : nil
            if let output { container.outputs.first?.attach(try OutputCopy(target: output, loop: loop)) }
            if let errors, container.outputs.count > 1 {
                container.outputs[1].attach(try OutputCopy(target: errors, loop: loop))
            }
            // Last, so that the answer to the first input is seen.
            if let input { try container.input?.attach(input) }
        } catch {
            throw ShimFailure(.system, "attach to container \(container.id): \(error)")
        }
    }
}
