import CRI
import KubeTypes
import Linux
import Logging
import SwiftProtobuf

extension PodHands {
    /// Makes the pod's directories, its cgroup, its volumes and its sandbox.
    func createSandbox(_ pod: Pod, attempt: UInt32) async throws(HandFailure) {
        do {
            try Directory.make(paths.directory, mode: 0o750)
            try Directory.make(paths.logs, mode: 0o755)
        } catch {
            throw HandFailure(reason: "FailedCreatePodSandBox", message: "\(error)")
        }
        do {
            try cgroups.make(pod)
        } catch {
            throw HandFailure(reason: "FailedCreatePodSandBox", message: "pod cgroup: \(error)")
        }
        let request = CRIRunPodSandboxRequest.with { $0.config = sandboxConfig(pod, attempt: attempt) }
        do {
            let id = try await gate.pass(.sandbox) { () async throws(CRIError) in
                try await runtime.runPodSandbox(request).podSandboxID
            }
            logger.debug("Sandbox created", metadata: ["sandbox": "\(id)"])
        } catch {
            throw HandFailure(reason: "FailedCreatePodSandBox", message: error.message)
        }
    }

    /// Makes what the pod's containers mount: volumes and the hosts file. Idempotent.
    func prepareVolumes(_ pod: Pod) throws(HandFailure) {
        do {
            try Directory.make(paths.directory, mode: 0o750)
            try PodVolumes(paths: paths).setUp(pod)
        } catch {
            throw HandFailure(reason: "FailedMount", message: "\(error)")
        }
    }
}
