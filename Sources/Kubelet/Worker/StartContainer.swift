import CRI
import Glibc
import KubeTypes
import Linux
import Logging
import SwiftProtobuf

extension PodHands {
    /// Starts one container: image, configuration, create, start, postStart hook.
    ///
    /// - Parameter image: the image, if somebody has looked for it already
    func start(
        _ order: StartOrder, _ pod: Pod, sandbox: SandboxFact, image: Result<ImageDesk.Found, ImageDesk.Missing>?
    ) async throws {
        guard let container = pod.allContainers.first(where: { $0.name == order.name }) else { return }
        if let old = order.replaces { try await remove(container: old) }
        try Task.checkCancellation()
        let id: String
        if let created = order.created {
            id = created
            // Whoever made it may not have come so far.
            linkLog(pod, container.name, id: id, to: "\(paths.containerLogs(container.name))/\(order.attempt).log")
        } else {
            id = try await create(container, order, pod, sandbox, image)
        }
        try Task.checkCancellation()
        do {
            try await gate.pass(.container) { () async throws(CRIError) in
                _ = try await runtime.startContainer(CRIStartContainerRequest.with { $0.containerID = id })
            }
        } catch {
            throw HandFailure(reason: "RunContainerError", message: error.message, container: id)
        }
        logger.info(
            "Container started",
            metadata: ["container": "\(container.name)", "id": "\(id.prefix(13))", "attempt": "\(order.attempt)"])
        report(.started(container: container.name))
        guard let hook = container.lifecycle?.postStart else { return }
        do {
            try await hooks.run(hook, container, pod, containerID: id, addresses: sandbox.addresses, limit: nil)
        } catch {
            // The kubelet ends, or the pod does: the container is not the hook's to stop.
            try Task.checkCancellation()
            logger.warning("postStart hook failed", metadata: ["container": "\(container.name)", "error": "\(error)"])
            _ = try await runtime.stopContainer(
                CRIStopContainerRequest.with {
                    $0.containerID = id
                    $0.timeout = pod.spec.terminationGracePeriodSeconds ?? 30
                })
            throw HandFailure(reason: "PostStartHookError", message: "\(error)")
        }
    }

    private func create(
        _ container: Container, _ order: StartOrder, _ pod: Pod, _ sandbox: SandboxFact,
        _ known: Result<ImageDesk.Found, ImageDesk.Missing>?
    ) async throws -> String {
        let config = sandboxConfig(pod, attempt: sandbox.attempt)
        let image = try await image(container, config, known)
        if let violation = SecurityContexts.nonRootViolation(container, pod, image: image.user) {
            throw HandFailure(reason: "CreateContainerConfigError", message: violation)
        }
        var order = order
        let hostNetwork = pod.spec.hostNetwork
        let addresses = hostNetwork ? configuration.nodeAddresses : sandbox.addresses
        let fields = Environment.Fields(
            podIPs: addresses, hostIPs: configuration.nodeAddresses, nodeMillis: node.processorMillis,
            nodeMemoryBytes: node.memoryBytes)
        let environment: [(name: String, value: String)]
        do {
            environment = try Environment.build(container, pod, fields)
        } catch {
            throw HandFailure(reason: "CreateContainerConfigError", message: error.description)
        }
        try prepareVolumes(pod)
        let mounts: [CRIMount]
        do {
            try writeHosts(pod, addresses)
            try Directory.make(paths.containerLogs(container.name), mode: 0o755)
            order.attempt = max(order.attempt, nextLogNumber(container.name))
            mounts = try ContainerMounts(pod: pod, container: container, paths: paths, environment: environment)
                .prepare(hasHosts: hostNetwork || !addresses.isEmpty)
        } catch {
            throw HandFailure(reason: "CreateContainerConfigError", message: "\(error)")
        }
        let logPath = "\(container.name)/\(order.attempt).log"
        let parts = ContainerConfig.Parts(
            attempt: order.attempt, imageID: image.id, imageUser: image.user, environment: environment,
            mounts: mounts, logPath: logPath, nodeMemoryBytes: node.memoryBytes)
        let request = CRICreateContainerRequest.with {
            $0.podSandboxID = sandbox.id
            $0.sandboxConfig = config
            $0.config = ContainerConfig.build(container, of: pod, parts)
            let seccomp = $0.config.linux.securityContext.seccomp
            if seccomp.profileType == .localhost {
                // A manifest names it below the node's own directory (upstream's <root>/seccomp).
                $0.config.linux.securityContext.seccomp.localhostRef =
                    "\(configuration.root)/seccomp/\(seccomp.localhostRef)"
            }
        }
        try Task.checkCancellation()
        let id: String
        do {
            id = try await gate.pass(.container) { () async throws(CRIError) in
                try await runtime.createContainer(request).containerID
            }
        } catch {
            throw HandFailure(reason: "CreateContainerError", message: error.message)
        }
        linkLog(pod, container.name, id: id, to: "\(paths.logs)/\(logPath)")
        report(.created(container: container.name))
        return id
    }

    private func image(
        _ container: Container, _ sandbox: CRIPodSandboxConfig, _ known: Result<ImageDesk.Found, ImageDesk.Missing>?
    ) async throws(HandFailure) -> ImageDesk.Found {
        do throws(ImageDesk.Missing) {
            let found: ImageDesk.Found
            if let known { found = try known.get() } else { found = try await images.get(container, sandbox: sandbox) }
            report(.pulled(container: container.name, image: container.image))
            return found
        } catch {
            throw HandFailure(reason: error.reason, message: error.message, isAboutImage: true)
        }
    }

    private func writeHosts(_ pod: Pod, _ addresses: [String]) throws {
        let text: String
        if pod.spec.hostNetwork {
            text = HostsFile.ofHost(
                try File.readText(configuration.hostsFile, limit: 1 << 20), aliases: pod.spec.hostAliases)
        } else {
            guard !addresses.isEmpty else { return }
            text = HostsFile.managed(
                addresses: addresses, hostname: pod.hostname, domain: pod.domain(of: configuration.clusterDomain),
                aliases: pod.spec.hostAliases)
        }
        // Written again only when it differs: running containers hold this very file.
        if File.exists(paths.hosts), try File.readText(paths.hosts, limit: 2 << 20) == text { return }
        try AtomicFile.write(paths.hosts, text, mode: 0o644)
    }

    /// One more than the newest log's number: a runtime that has lost its records doesn't make us write over a log.
    private func nextLogNumber(_ container: String) -> Int {
        let names = (try? Directory.names(paths.containerLogs(container))) ?? []  // none yet
        return names.compactMap { $0.hasSuffix(".log") ? Int($0.dropLast(4)) : nil }.max().map { $0 + 1 } ?? 0
    }
}
