import SwiftProtobuf
import TTRPC

/// What there is, in messages that a plugin can take in.
enum SynchronizeMessages {
    /// Well below what a message may hold: lengths and tags come on top.
    private static let mostBytes = Frame.mostBytes - (64 << 10)

    /// At least one message; all but the last say that more come.
    static func split(_ pods: [NRIPodSandbox], _ containers: [NRIContainer]) -> [NRISynchronizeRequest] {
        var messages = [NRISynchronizeRequest()]
        var bytes = 0
        func room(for message: some SwiftProtobuf.Message) -> Bool {
            // One that can't be encoded has no length and fails when it is sent.
            let size = ((try? message.serializedBytes() as [UInt8])?.count ?? 0) + 8
            let fits = bytes + size <= mostBytes
            bytes = fits ? bytes + size : size
            return fits
        }
        for pod in pods {
            if !room(for: pod) { messages.append(NRISynchronizeRequest()) }
            messages[messages.count - 1].pods.append(pod)
        }
        for container in containers {
            if !room(for: container) { messages.append(NRISynchronizeRequest()) }
            messages[messages.count - 1].containers.append(container)
        }
        for index in messages.indices.dropLast() { messages[index].more = true }
        return messages
    }
}
