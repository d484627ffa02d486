import CRI
import KubeTypes
import SwiftProtobuf

/// Runs postStart and preStop hooks.
protocol HookRunner: Sendable {
    /// - Parameter limit: how long it may take; nil: as long as it takes
    func run(
        _ hook: LifecycleHandler, _ container: Container, _ pod: Pod, containerID: String, addresses: [String],
        limit: Duration?
    ) async throws
}

/// Runs them in the container and over the network.
struct LifecycleHooks: HookRunner {
    let runtime: any RuntimeService
    let clock: any NodeClock
    let nodeAddress: String

    /// Why a hook failed.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    func run(
        _ hook: LifecycleHandler, _ container: Container, _ pod: Pod, containerID: String, addresses: [String],
        limit: Duration?
    ) async throws {
        let address = pod.spec.hostNetwork ? nodeAddress : addresses.first ?? ""
        if let exec = hook.exec {
            let reply = try await runtime.execSync(
                CRIExecSyncRequest.with {
                    $0.containerID = containerID
                    $0.cmd = exec.command
                    $0.timeout = limit.map { max(1, $0.components.seconds) } ?? 0
                })
            guard reply.exitCode == 0 else {
                let output = String(decoding: (reply.stdout + reply.stderr).prefix(1024), as: UTF8.self)
                throw Failure(
                    description:
                        "command '\(exec.command.joined(separator: " "))' exited with \(reply.exitCode): \(output)")
            }
        } else if let get = hook.httpGet {
            guard case .http(var request) = ProbeTarget.http(get, container, address) else {
                throw Failure(description: "no port named \"\(get.port)\" in container \(container.name)")
            }
            if !request.headers.contains(where: { $0.name.lowercased() == "user-agent" }) {
                request.headers.append(HTTPGet.Header(name: "User-Agent", value: "kube-lifecycle/1.36"))
            }
            let reply = try await request.send(within: min(limit ?? .seconds(60), .seconds(60)))
            guard (200..<400).contains(reply.status) else {
                throw Failure(description: "Get \"\(request.url)\": status \(reply.status)")
            }
        } else if let sleep = hook.sleep {
            try await clock.sleep(for: min(.seconds(sleep.seconds), limit ?? .seconds(sleep.seconds)))
        } else if hook.tcpSocket != nil {
            throw Failure(description: "a tcpSocket hook does nothing in any kubelet")
        }
    }
}
