import ArgumentParser
import CRI
import Glibc
import Streaming
import SwiftProtobuf

/// `crictl port-forward`
struct PortForwardCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "port-forward", abstract: "Forward local port to a pod",
        discussion: "  kubesim crictl port-forward 4ba0a2b1c2d3e 8080:80")

    @Argument(help: "The pod's id") var podID: String
    @Argument(help: "[LOCAL_PORT:]REMOTE_PORT") var ports: [String]
    @OptionGroup var stream: StreamOptions

    func validate() throws {
        if ports.isEmpty { throw ValidationError("a port is missing") }
    }

    func run() async throws {
        let wanted = try ports.map(Self.parse)
        try await withServices { services in
            // A pod that isn't there is said now, not to whoever connects one day.
            _ = try await services.runtime.podSandboxStatus(
                CRIPodSandboxStatusRequest.with { $0.podSandboxID = podID })
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (local, remote) in wanted {
                    for listener in try LocalListener.all(port: local) {
                        say("Forwarding from \(listener.address) -> \(remote)")
                        group.addTask { try await serve(listener, remote, services) }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    private func serve(_ listener: LocalListener, _ port: UInt16, _ services: Services) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            while let socket = await listener.accept() {
                say("Handling connection for \(listener.port)")
                group.addTask {
                    var request = CRIPortForwardRequest()
                    request.podSandboxID = podID
                    request.port = [Int32(port)]
                    do {
                        let client: StreamingClient
                        do {
                            client = try stream.client(try await services.runtime.portForward(request).url)
                        } catch {
                            close(socket)
                            throw error
                        }
                        try await client.forward(port: port, socket: socket)
                    } catch {
                        // One connection that fails leaves the others alone.
                        warn("error forwarding to port \(port): \(error)")
                    }
                }
            }
        }
    }

    /// `8080:80`, `:80` (any local port) or `80`.
    static func parse(_ text: String) throws -> (local: UInt16, remote: UInt16) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let last = parts.last, let remote = UInt16(last), remote > 0 else {
            throw Failure("invalid port \"\(text)\"; [LOCAL_PORT:]REMOTE_PORT is expected")
        }
        if parts.count == 1 { return (remote, remote) }
        guard let local = parts[0].isEmpty ? 0 : UInt16(parts[0]) else {
            throw Failure("invalid port \"\(text)\"; [LOCAL_PORT:]REMOTE_PORT is expected")
        }
        return (local, remote)
    }
}
