import KubeTypes
import Linux
import Logging

/// What pods that nobody knows any more have left on this node: directories, logs, cgroups.
struct Leftovers: Sendable {
    let configuration: KubeletConfiguration
    let cgroups: any PodCgroups
    let logger: Logger

    /// Takes away what belongs to no uid in `known`. Only names that a kubelet of this node has made are touched.
    func clear(except known: Set<String>) async {
        let pods = configuration.root + "/pods"
        guard File.exists(pods) else { return }
        let uids: [String]
        do {
            uids = try Directory.names(pods).filter { !known.contains($0) }
        } catch {
            return logger.warning("Old pod directories can't be listed", metadata: ["error": "\(error)"])
        }
        for uid in uids {
            do {
                let logs = try logDirectory(uid)
                let paths = PodPaths(
                    configuration, namespace: logs?.namespace ?? "none", name: logs?.name ?? "none", uid: uid)
                try await cgroups.remove(uid: uid)
                if logs != nil { try PodLogs(paths: paths).removeAll() }
                try PodVolumes(paths: paths).tearDown()
                logger.info("Took away what a pod of an earlier run had left", metadata: ["uid": "\(uid)"])
            } catch {
                logger.warning("A pod's remains stay", metadata: ["uid": "\(uid)", "error": "\(error)"])
            }
        }
    }

    private func logDirectory(_ uid: String) throws -> (namespace: String, name: String)? {
        guard File.exists(configuration.podLogs) else { return nil }
        for entry in try Directory.names(configuration.podLogs) where entry.hasSuffix("_\(uid)") {
            let parts = entry.split(separator: "_")
            if parts.count == 3 { return (String(parts[0]), String(parts[1])) }
        }
        return nil
    }
}
