import CRI
import Images
import Linux
import Logging
import PodNetwork
import ShimClient
import ShimProtocol

extension Engine {
    /// What no record speaks for.
    struct Lost: Sendable {
        var sandboxes: Set<SandboxID>
        var containers: Set<ContainerID>
        /// Containers with a record whose sandbox has none.
        var orphans: [ContainerRecord]
    }

    func findLost(_ contents: RecordContents) async -> Lost {
        let places = places
        // Images that can't say what they hold have other troubles.
        let snapshots = (try? await images.snapshotContainers()) ?? []
        let (sandboxDirectories, bundles, runtimeStates) = await Blocking.run {
            (
                Self.names(places.state + "/sandboxes"), Self.names(places.state + "/containers"),
                Self.names(places.runtimeRoot)
            )
        }
        let lost = Set(contents.lostSandboxes + sandboxDirectories.compactMap { SandboxID($0) })
            .filter { sandboxes[$0] == nil }
        // The runtime's states are those of containers and of sandboxes.
        let named = (bundles + runtimeStates + snapshots).compactMap { ContainerID($0) }
        return Lost(
            sandboxes: lost,
            containers: Set(contents.lostContainers + named).filter { id in
                guard containers[id] == nil, let sandbox = SandboxID(id.text) else { return false }
                return sandboxes[sandbox] == nil && !lost.contains(sandbox)
            },
            orphans: containers.values.map(\.record).filter { sandboxes[$0.sandbox] == nil })
    }

    /// Takes away what no record speaks for.
    func clear(_ lost: Lost) async {
        for record in lost.orphans {
            await attempt("a container without its sandbox can't be cleared away", record.id) {
                await self.endCgroup(record.cgroupsPath)
                self.containerLost(record.id, why: "its sandbox is gone")
                try await self.removeContainer(record.id)
                self.repaired(
                    record.sandbox.short, container: record.config.metadata.name, "took the container away",
                    why: "its sandbox has no record")
            }
        }
        for id in lost.sandboxes {
            await attempt("the leftovers of a sandbox can't be cleared away", id) {
                try await self.clearLost(id)
                self.repaired(id.short, "took it away", why: "no record speaks for it")
            }
        }
        let places = places
        let holders = await shimsOfUnknown()
        for id in lost.containers.union(holders.keys) {
            await attempt("the leftovers of a container can't be cleared away", id) {
                try await holders[id]?.delete(id.text, force: true, deadline: self.configuration.stepDeadline)
                let runtime = RuntimeCommand(path: self.configuration.runtimePath, root: places.runtimeRoot)
                try await Blocking.run { try runtime.delete(id.text) }
                try await self.images.unmountRootfs(container: id.text, at: places.rootfs(id))
                try await self.images.removeSnapshot(container: id.text)
                try await self.clearImageVolumes(of: id)
                try await Blocking.run { try Directory.removeTree(places.bundle(id)) }
                try await self.store.forget(id)
                self.repaired("?", container: id.short, "took its leftovers away", why: "no record speaks for it")
            }
        }
    }

    /// The shims that live, by the containers that they hold and nobody else knows of.
    private func shimsOfUnknown() async -> [ContainerID: any PodShim] {
        var holders: [ContainerID: any PodShim] = [:]
        for (sandbox, entry) in sandboxes {
            // A shim that doesn't answer is its sandbox's trouble.
            guard let shim = entry.shim, let info = try? await shim.info() else { continue }
            for container in info.containers where container.id != sandbox.text {
                if let id = ContainerID(container.id), containers[id] == nil { holders[id] = shim }
            }
        }
        return holders
    }

    /// Ends a pod of which nothing is known but its name.
    private func clearLost(_ id: SandboxID) async throws {
        let places = places
        if let shim = try? await shims.connect(directory: places.shim(id)) {
            let info = try await shim.info()
            for container in info.containers {
                try await shim.delete(container.id, force: true, deadline: configuration.stepDeadline)
            }
            try await shim.shutdown()
            await shim.disconnect()
        } else {
            await StrayShims.end(id, below: places.state + "/sandboxes")
        }
        let runtime = RuntimeCommand(path: configuration.runtimePath, root: places.runtimeRoot)
        try await Blocking.run { try runtime.delete(id.text) }
        try await network.detach(
            sandbox: id.text,
            otherwise: Attachment(
                sandbox: id.text, netns: places.netns(id), podNamespace: "", podName: id.short, podUID: ""))
        try await Blocking.run {
            try removeNetworkNamespace(places.netns(id))
            try removeNetworkNamespace(places.userNamespace(id))
            try Linux.Mount.unmount(places.files(id).shm, detach: true)
            try Directory.removeTree(places.sandbox(id))
        }
        try await store.forget(id)
    }

    private static func names(_ directory: String) -> [String] { (try? Directory.names(directory)) ?? [] }

    /// Runs a clean-up whose failure is told and doesn't stop the others; the next start tries again.
    func attempt(
        _ complaint: String, _ id: any CustomStringConvertible & Sendable, _ work: () async throws -> Void
    ) async {
        do {
            try await work()
        } catch {
            logger.error(
                "\(complaint); the next start tries again", metadata: ["id": "\(id)", "reason": "\(error)"])
        }
    }
}
