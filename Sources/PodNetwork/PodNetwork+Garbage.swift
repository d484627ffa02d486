import Linux
import Logging

extension PodNetwork {
    /// Ends the plugins that an earlier life of the node left running, so that none of them makes anything more. Call it before
    /// anything is attached or detached.
    public func endStrays() async {
        let records: [AttachmentRecord]
        do throws(NetworkError) {
            records = try store.all()
        } catch {
            logger.warning("the network's records can't be listed", metadata: ["error": "\(error)"])
            return
        }
        for stray in await StrayPlugins.end(records) {
            logger.info(
                "a plugin that the node's earlier life had started was ended",
                metadata: ["sandbox": "\(stray.sandbox)", "verb": "\(stray.verb)", "pid": "\(stray.pid)"])
        }
    }

    /// The sandboxes with a record here that are not in `keep`: what a killed node left behind.
    public func forgotten(keep: Set<String>) -> [String] {
        do throws(NetworkError) {
            return try store.sandboxes().filter { !keep.contains($0) }
        } catch {
            logger.warning("the network's records can't be listed", metadata: ["error": "\(error)"])
            return []
        }
    }

    /// Detaches sandboxes that nobody knows of any more, then lets the plugins look for what is nobody's. Failures are logged
    /// and left for the next time.
    public func collectGarbage(_ sandboxes: [String]) async {
        for sandbox in sandboxes {
            do throws(NetworkError) {
                try await detach(sandbox: sandbox)
                logger.info("a forgotten sandbox was taken off the network", metadata: ["sandbox": "\(sandbox)"])
            } catch {
                logger.warning(
                    "a forgotten sandbox stays on the network",
                    metadata: ["sandbox": "\(sandbox)", "error": "\(error)"])
            }
        }
        await sweep()
    }

    /// Has the plugins take away what belongs to none of the attachments known here (CNI GC, which came with 1.1.0).
    func sweep() async {
        do throws(NetworkError) {
            let list = try await currentList()
            if list.disableGC || list.version < .garbageCollection { return }
            await alone { await self.sweepAlone(list) }
        } catch {
            logger.warning("the network can't be swept", metadata: ["error": "\(error)"])
        }
    }

    private func sweepAlone(_ list: NetworkList) async {
        let valid: [PluginArguments]
        do throws(NetworkError) {
            // Those that are just being made have their records, and new ones wait.
            valid = try store.all().filter { $0.list.name == list.name }.map(\.arguments)
        } catch {
            logger.warning("the network can't be swept", metadata: ["error": "\(error)"])
            return
        }
        var bounded = runner
        bounded.deadline = min(bounded.deadline, .seconds(10))
        for plugin in list.plugins {
            do throws(NetworkError) {
                try await bounded.run(
                    .collectGarbage(plugin: plugin, of: list, valid: valid, binDirs: configuration.binDirs))
            } catch {
                logger.warning("a network plugin could not sweep", metadata: ["error": "\(error)"])
            }
        }
    }
}
