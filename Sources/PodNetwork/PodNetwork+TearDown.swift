import Linux
import Logging

extension PodNetwork {
    /// Takes away what belongs to the default network of this node alone: every sandbox that is still on it, its bridge,
    /// its firewall chain and rules, the files of its addresses and records.
    ///
    /// The port mapper's own chains (`CNI-HOSTPORT-…`) belong to whoever maps ports on this host, so they go only if no
    /// mapping is left in them; whoever maps a port next makes them anew. `net.ipv4.ip_forward` and its like
    /// of IPv6, which were switched on, stay on: others may need them by now.
    ///
    /// - Throws: `NetworkError` of the first thing that could not be taken away, after all else was.
    public func tearDown() async throws(NetworkError) {
        var failure: NetworkError?
        for sandbox in try store.sandboxes() {
            do throws(NetworkError) { try await detach(sandbox: sandbox) } catch { failure = failure ?? error }
        }
        // An attach that has just failed may still be putting the rules in place.
        if let rulesInPlace { _ = await rulesInPlace.value }
        for family in Subnet.Family.allCases {
            do throws(NetworkError) { try await firewall(family).remove() } catch { failure = failure ?? error }
        }
        do throws(SystemError) {
            try refuseBusyBridge()
            try Bridge.remove(configuration.bridge)
            try GivenRanges.remove(configuration)
            // Only ours: the directory of the default network's name.
            try Directory.removeTree(configuration.dataDir + "/" + configuration.bridge)
        } catch {
            failure = failure ?? NetworkError(.host, reason: "\(error)")
        }
        for directory in [configuration.dataDir, configuration.cacheDir] {
            // Another node's files may be in it.
            _ = try? Directory.removeEmpty(directory)
        }
        if let failure { throw failure }
    }

    /// A bridge with ports is somebody's network still.
    private func refuseBusyBridge() throws(SystemError) {
        let path = "/sys/class/net/\(configuration.bridge)/brif"
        do throws(SystemError) {
            if try !Directory.names(path).isEmpty { throw SystemError("remove bridge", path: path, errno: .busy) }
        } catch {
            if error.errno != .noEntry { throw error }
        }
    }
}
