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
        case .damaged(let path, let reason):
            logger.warning(
                "a network record is damaged; the sandbox is taken off by what else is known of it",
                metadata: ["sandbox": "\(sandbox)", "reason": "\(reason)"])
            let known =
                attachment
                ?? Attachment(sandbox: sandbox, netns: "", podNamespace: "", podName: sandbox, podUID: "")
            troubled.insert(sandbox)
            try await takeOff(
                AttachmentRecord(
                    phase: .attaching, arguments: PluginArguments(known), list: try await currentList()))
            try store.remove(path: path)
        }
    }

    /// DEL of every plugin, then the record goes.
    func takeOff(_ record: AttachmentRecord) async throws(NetworkError) {
        let arguments = record.arguments
        let netns = PodNetwork.isNamespace(arguments.netns) ? arguments.netns : ""
        var failure: NetworkError?
        for plugin in record.list.plugins(for: arguments).reversed() {
            let invocation = Invocation(
                .del, plugin: plugin, of: record.list, for: arguments, netns: netns, previous: record.result,
                binDirs: configuration.binDirs)
            do throws(NetworkError) {
                try await runner.run(invocation)
            } catch {
                // "Container unknown": there is nothing to clean up (section 5, Error).
                if error.pluginCode != 3 { failure = failure ?? error }
            }
        }
        if let failure {
            troubled.insert(arguments.sandbox)
            throw failure.of(pod: arguments.pod)
        }
        try store.remove(record)
        if troubled.remove(arguments.sandbox) != nil {
            // What a plugin could not take away at first may have left something.
            Task { await sweep() }
        }
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
        if record.list.disableCheck || record.list.version < .check { return }
        for plugin in record.list.plugins(for: record.arguments) {
            // portmap 1.1.1 looks for IPv6 rules of a pod that has no IPv6 address, and so never finds all well.
            if record.list.isStandard, plugin["type"]?.stringValue == "portmap" { continue }
            let invocation = Invocation(
                .check, plugin: plugin, of: record.list, for: record.arguments, netns: record.arguments.netns,
                previous: record.result, binDirs: configuration.binDirs)
            try await runner.run(invocation)
        }
    }

    /// Whether a path still leads to a namespace: after the namespace was let go its file may remain, empty.
    private static func isNamespace(_ path: String) -> Bool {
        guard let statistics = try? FilesystemStatistics(path) else { return false }
        return statistics.type == 0x6E73_6673
    }
}
