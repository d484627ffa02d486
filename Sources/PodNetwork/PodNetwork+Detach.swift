import JSON
import Linux
import Logging

extension PodNetwork {
    /// Takes a sandbox off the network; works when its network namespace is gone. One that isn't on it is success.
    ///
    /// Every plugin is run, in reverse, also when one fails; the first failure is thrown and the next call tries again.
    ///
    /// - Parameter attachment: what is known of the sandbox elsewhere, for when its own record is damaged: DEL needs no
    ///   more than the configuration and the sandbox's name (CNI specification, "DEL").
    public func detach(sandbox: String, otherwise attachment: Attachment? = nil) async throws(NetworkError) {
        await takeTurn(sandbox)
        defer { giveBackTurn(sandbox) }
        switch try store.look(sandbox) {
        case .absent: return
        case .found(let record): try await takeOff(record)
        case .damaged(let reason):
            logger.warning(
                "a network record is damaged; the sandbox is taken off by what else is known of it",
                metadata: ["sandbox": "\(sandbox)", "reason": "\(reason)"])
            let known =
                attachment
                ?? Attachment(sandbox: sandbox, netns: "", podNamespace: "", podName: sandbox, podUID: "")
            try await takeOff(
                AttachmentRecord(
                    phase: .attaching, attachment: known,
                    list: try NetworkList.load(configuration, logger: logger)))
        }
    }

    /// DEL of every plugin, then the record goes.
    func takeOff(_ record: AttachmentRecord) async throws(NetworkError) {
        let attachment = record.attachment
        let netns = PodNetwork.isNamespace(attachment.netns) ? attachment.netns : ""
        var failure: NetworkError?
        for plugin in record.list.plugins(for: attachment).reversed() {
            let invocation = Invocation(
                .del, plugin: plugin, of: record.list, for: attachment, netns: netns, previous: record.result,
                binDirs: configuration.binDirs)
            do throws(NetworkError) {
                _ = try await runner.run(invocation, for: attachment)
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure.of(attachment) }
        try store.remove(attachment.sandbox)
    }

    /// Asks the plugins whether a sandbox's network is as they made it (CNI CHECK).
    ///
    /// - Throws: `NetworkError` with what a plugin found wrong, and for a sandbox that isn't on the network.
    public func check(sandbox: String) async throws(NetworkError) {
        await takeTurn(sandbox)
        defer { giveBackTurn(sandbox) }
        guard let record = try store.read(sandbox), record.phase == .attached else {
            throw NetworkError(.host, reason: "sandbox \(sandbox) is not on the network")
        }
        // CHECK came with 0.4.0.
        if record.list.disableCheck || record.list.version.hasPrefix("0.3.") { return }
        for plugin in record.list.plugins(for: record.attachment) {
            // portmap 1.1.1 looks for IPv6 rules of a pod that has no IPv6 address, and so never finds all well.
            if record.list.isStandard, plugin["type"]?.stringValue == "portmap" { continue }
            let invocation = Invocation(
                .check, plugin: plugin, of: record.list, for: record.attachment, netns: record.attachment.netns,
                previous: record.result, binDirs: configuration.binDirs)
            _ = try await runner.run(invocation, for: record.attachment)
        }
    }

    /// Whether a path still leads to a namespace: after the namespace was let go its file may remain, empty.
    private static func isNamespace(_ path: String) -> Bool {
        guard let statistics = try? FilesystemStatistics(path) else { return false }
        return statistics.type == 0x6E73_6673
    }
}
