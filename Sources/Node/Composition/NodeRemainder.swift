import Cgroups
import Glibc
import Linux
import Logging
import PodNetwork
import Sandboxes

/// Which of a node's files are its own: what a person put there (manifests, image tarballs) is not.
enum NodeRemainder {
    /// Takes away what this node made: first what the kernel holds, then the files.
    static func remove(_ runtime: Runtime, _ places: NodePlaces, logger: Logger) async {
        await runtime.embedded?.engine.tearDown()
        do { try await runtime.embedded?.network.tearDown() } catch {
            logger.warning("the pod network is not all gone", metadata: ["error": "\(error)"])
        }
        do { try removeCgroups(places) } catch {
            logger.warning("the node's cgroups are not all gone", metadata: ["error": "\(error)"])
        }
        for path in owned(places) {
            do { try Directory.removeTree(path) } catch {
                logger.warning("cannot remove what this node made", metadata: ["path": "\(path)", "error": "\(error)"])
            }
        }
        removeEmpty(places)
    }

    /// Paths that an ephemeral node removes at its end. What lies outside its root and may be shared with others (the
    /// machine's pod logs, say) is not among them: the pods took their parts of it with them.
    static func owned(_ places: NodePlaces) -> [String] {
        let data = [
            "content", "layers", "snapshots", "sandboxes", "containers", "pods", "network", "image-records", "pause",
            "state.db", "state.db-wal", "corrupt", "nri", "node.lock",
        ].map { places.root + "/" + $0 }
        return data + [places.state] + [places.podLogs, places.containerLogs].filter { isOwn($0, places) }
    }

    /// Removes the node's own directories that hold nothing any more, innermost first; a full one stays.
    static func removeEmpty(_ places: NodePlaces) {
        let directories = [places.podLogs, places.containerLogs].map { NodePlaces.absolute("..", from: $0) }
        for path in directories + [places.manifests, places.images] where isOwn(path, places) { rmdir(path) }
        rmdir(places.root)
    }

    /// Removes the cgroup that a node with a root of its own made for its pods; the standard `kubepods` may be shared.
    static func removeCgroups(_ places: NodePlaces) throws(CgroupError) {
        guard places.cgroupRoot != "/" else { return }
        try Cgroup(path: places.cgroupRoot, host: CgroupHost.detect()).remove()
    }

    private static func isOwn(_ path: String, _ places: NodePlaces) -> Bool { path.hasPrefix(places.root + "/") }
}
