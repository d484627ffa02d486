import Glibc
import KubeTypes
import Linux
import Logging

extension PodHands {
    /// Links the log into the directory of all containers' logs, as on any Kubernetes node. A link that can't be made
    /// costs only the link.
    func linkLog(_ pod: Pod, _ container: String, id: String, to log: String) {
        let link = linkPath(pod.metadata.name, pod.metadata.namespace, container, id)
        do {
            try Directory.make(paths.links, mode: 0o755)
            try File.remove(link)
            try File.symlink(log, link)
        } catch {
            logger.warning("Log link can't be made", metadata: ["link": "\(link)", "error": "\(error)"])
        }
    }

    /// Takes away a dead container's log, its rotated parts and its link.
    func removeLogs(_ container: ContainerFact) {
        let labels = container.labels
        let link = linkPath(
            labels[KubeletLabels.podName] ?? "", labels[KubeletLabels.podNamespace] ?? "", container.name, container.id)
        do {
            try File.remove(link)
            // Only what lies where we put it.
            let directory = paths.containerLogs(container.name)
            guard container.logPath.hasPrefix(directory + "/"), File.exists(directory) else { return }
            let name = String(container.logPath.dropFirst(directory.utf8.count + 1))
            let folder = try PodLogs(paths: paths).open("/" + container.name, O_RDONLY | O_DIRECTORY)
            for file in try Directory.names(of: folder) where file == name || file.hasPrefix(name + ".") {
                try File.remove(file, at: folder.raw)
            }
        } catch {
            logger.warning("Log can't be removed", metadata: ["container": "\(container.name)", "error": "\(error)"])
        }
    }

    private func linkPath(_ pod: String, _ namespace: String, _ container: String, _ id: String) -> String {
        "\(paths.links)/\(pod)_\(namespace)_\(container)-\(id).log"
    }
}

/// All logs of one pod.
struct PodLogs: Sendable {
    let paths: PodPaths

    /// Takes away all logs of the pod and the links to them.
    func removeAll() throws {
        if File.exists(paths.links) {
            for name in try Directory.names(paths.links) {
                let link = "\(paths.links)/\(name)"
                // A file that is no link is not ours.
                guard let target = try? File.readLink(link), target.hasPrefix(paths.logs + "/") else { continue }
                try File.remove(link)
            }
        }
        guard File.exists(paths.logs) else { return }
        let root = try File.open(paths.logsRoot, OpenFlag.path | O_DIRECTORY)
        try Directory.removeTree(paths.logsName, at: root.raw)
    }

    /// Opens what lies below the pod's log directory. No link is followed on the way: a pod that may write there can't
    /// make us read or remove anything else.
    func open(_ path: String, _ flags: Int32) throws(SystemError) -> Descriptor {
        let root = try File.open(paths.logsRoot, OpenFlag.path | O_DIRECTORY)
        return try RootedPath.open(paths.logsName + path, flags, root: root.raw, resolve: [.beneath, .noSymlinks])
    }
}
