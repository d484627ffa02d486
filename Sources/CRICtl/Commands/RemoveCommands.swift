import ArgumentParser
import CRI
import FoundationEssentials
import Glibc

/// `crictl rm`
struct RemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "rm", abstract: "Remove one or more containers")

    @Argument(help: "The containers' ids") var containerID: [String] = []
    @Flag(name: .shortAndLong, help: "Force removal of the container, disregarding if running") var force = false
    @Flag(name: .shortAndLong, help: "Preserve the container log file and its rotations") var keepLogs = false
    @Flag(name: .shortAndLong, help: "Remove all containers") var all = false

    func validate() throws {
        if !all && containerID.isEmpty { throw ValidationError("a container's id is missing; --all takes every one") }
    }

    func run() async throws {
        try await withServices { services in
            let ids = all ? try await ContainerSelection(all: true).containers(services).map(\.id) : containerID
            if ids.isEmpty { return warn("No containers to remove") }
            try await forEach(ids) { try await remove($0, services) }
        }
    }

    private func remove(_ id: String, _ services: Services) async throws {
        var status = CRIContainerStatusRequest()
        status.containerID = id
        let asked = status
        let container = try await doing("getting container status \"\(id)\"") {
            try await services.runtime.containerStatus(asked).status
        }
        if container.state == .containerRunning {
            guard force else { throw Failure("container \"\(id)\" is running, please stop it first") }
            try await services.stopContainer(id, timeout: 0)
        }
        var request = CRIRemoveContainerRequest()
        request.containerID = id
        let removal = request
        _ = try await doing("removing container \"\(id)\"") { try await services.runtime.removeContainer(removal) }
        say(id)
        if !keepLogs, !container.logPath.isEmpty { Self.removeLogs(container.logPath, id) }
    }

    /// Removes a log and its rotations (`0.log`, `0.log.20260501-120000.gz`).
    private static func removeLogs(_ path: String, _ id: String) {
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        let directory = String(path[..<slash])
        let name = String(path[path.index(after: slash)...])
        // A directory that is gone has no logs.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        for entry in names where entry == name || entry.hasPrefix(name + ".") {
            let file = directory + "/" + entry
            if unlink(file) != 0, errno != ENOENT {
                warn("removing log file \(file) for container \"\(id)\" failed: \(String(cString: strerror(errno)))")
            }
        }
    }
}

/// `crictl rmp`
struct RemovePodCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "rmp", abstract: "Remove one or more pods")

    @Argument(help: "The pods' ids") var podID: [String] = []
    @Flag(name: .shortAndLong, help: "Force removal of the pod sandbox, disregarding if running") var force = false
    @Flag(name: .shortAndLong, help: "Remove all pods") var all = false

    func validate() throws {
        if !all && podID.isEmpty { throw ValidationError("a pod's id is missing; --all takes every one") }
    }

    func run() async throws {
        try await withServices { services in
            let ids = all ? try await SandboxSelection().sandboxes(services).map(\.id) : podID
            if ids.isEmpty { return warn("No pods to remove") }
            try await forEach(ids) { try await remove($0, services) }
        }
    }

    private func remove(_ id: String, _ services: Services) async throws {
        var status = CRIPodSandboxStatusRequest()
        status.podSandboxID = id
        let asked = status
        let pod = try await doing("getting sandbox status of pod \"\(id)\"") {
            try await services.runtime.podSandboxStatus(asked).status
        }
        if pod.state == .sandboxReady {
            guard force else { throw Failure("pod sandbox \"\(id)\" is running, please stop it first") }
            try await services.stopPod(id)
        }
        var request = CRIRemovePodSandboxRequest()
        request.podSandboxID = id
        let removal = request
        _ = try await doing("removing the pod sandbox \"\(id)\"") {
            try await services.runtime.removePodSandbox(removal)
        }
        say("Removed sandbox \(id)")
    }
}

/// `crictl rmi`
struct RemoveImageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rmi", abstract: "Remove one or more images",
        discussion: """
            An image goes with all of its names, whichever of them it is called by.

              kubesim crictl rmi localhost/web:latest
              kubesim crictl rmi --prune
            """)

    @Argument(help: "The images' ids or names") var imageID: [String] = []
    @Flag(name: .shortAndLong, help: "Remove all images") var all = false
    @Flag(name: [.customShort("q"), .long], help: "Remove all unused images that aren't pinned") var prune = false

    func validate() throws {
        if !all && !prune && imageID.isEmpty {
            throw ValidationError("an image's id is missing; --all takes every one, --prune the unused")
        }
    }

    func run() async throws {
        try await withServices { services in
            var ids = imageID
            if all || prune {
                let images = try await ImageFilter.images(services, name: nil, filters: [])
                ids += images.filter { !prune || !$0.pinned }.map(\.id)
            }
            if prune {
                let used = try await used(services)
                ids.removeAll { used.contains($0) }
            }
            if ids.isEmpty { return warn("No images to remove") }
            try await forEach(ids) { try await remove($0, services) }
        }
    }

    private func used(_ services: Services) async throws -> Set<String> {
        var used: Set<String> = []
        for container in try await ContainerSelection(all: true).containers(services) {
            if let id = try await services.imageID(container.image.image) { used.insert(id) }
        }
        return used
    }

    private func remove(_ id: String, _ services: Services) async throws {
        var status = CRIImageStatusRequest()
        status.image.image = id
        let asked = status
        let response = try await doing("image status of \"\(id)\"") { try await services.images.imageStatus(asked) }
        guard response.hasImage else { throw Failure("no such image \(id)") }
        let image = response.image
        if image.repoTags.count > 1, !id.hasPrefix("sha256:"), id.contains(where: { ":/".contains($0) }) {
            warn("Image \"\(id)\" has several tags, and all of them go: \(image.repoTags.joined(separator: ", "))")
        }
        var request = CRIRemoveImageRequest()
        request.image.image = id
        do { _ = try await services.images.removeImage(request) } catch {
            // Somebody may have begun to use it since it was found to be unused.
            if prune { return }
            throw Failure("removing image \"\(id)\"", error)
        }
        for name in image.repoTags.isEmpty ? image.repoDigests : image.repoTags { say("Deleted: \(name)") }
    }
}
