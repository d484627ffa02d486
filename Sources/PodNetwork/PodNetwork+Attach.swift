import JSON
import Linux
import Logging

extension PodNetwork {
    /// Puts a sandbox on the network. A second call for the same sandbox and namespace gives the first one's result.
    ///
    /// On failure, and when the caller's task is cancelled, everything that was made is taken away again.
    public func attach(_ attachment: Attachment) async throws(NetworkError) -> NetworkResult {
        await takeTurn(attachment.sandbox)
        defer { giveBackTurn(attachment.sandbox) }
        do throws(NetworkError) {
            try check(attachment)
            return try await attachInTurn(PluginArguments(attachment))
        } catch {
            throw error.of(pod: attachment.pod)
        }
    }

    private func attachInTurn(_ arguments: PluginArguments) async throws(NetworkError) -> NetworkResult {
        if let record = try store.read(arguments.sandbox) {
            if record.phase == .attached, record.arguments == arguments, let value = record.result {
                return try NetworkResult(value, interface: arguments.interface, network: record.list.name)
            }
            // Another life of it, or one that ended halfway: begin anew.
            try await takeOff(record)
        }
        let record = try await begin(arguments)
        do throws(NetworkError) {
            return try await runPlugins(record)
        } catch {
            do throws(NetworkError) {
                try await takeOff(record)
            } catch let undo {
                logger.warning(
                    "what a failed attach made could not be taken away yet",
                    metadata: ["pod": "\(arguments.pod)", "sandbox": "\(arguments.sandbox)", "error": "\(undo)"])
            }
            throw error
        }
    }

    /// Writes down what is about to be made, on a network that nobody changes meanwhile.
    private func begin(_ arguments: PluginArguments) async throws(NetworkError) -> AttachmentRecord {
        try await changeRanges()
        while true {
            while let exclusive { await exclusive.value }
            let count = exclusiveCount
            let list = try await currentList()
            if exclusive != nil || count != exclusiveCount { continue }
            let record = AttachmentRecord(phase: .attaching, arguments: arguments, list: list)
            try store.write(record)
            return record
        }
    }

    private func runPlugins(_ record: AttachmentRecord) async throws(NetworkError) -> NetworkResult {
        let (arguments, list) = (record.arguments, record.list)
        // iptables and the plugins run side by side. Rules that were seen before are only looked after: nobody waits for that.
        let wereSeen = rulesSeen != nil
        let rules = list.isStandard ? try await prepareStandard() : nil
        if let rules, wereSeen { Task { sayOnce(await rules.value, pod: arguments.pod) } }
        var result: JSONValue?
        for plugin in list.plugins(for: arguments) {
            if Task.isCancelled { throw NetworkError(.host, reason: "the call was cancelled") }
            let invocation = Invocation(
                .add, plugin: plugin, of: list, for: arguments, netns: arguments.netns, previous: result,
                binDirs: configuration.binDirs)
            var made = try await runner.run(invocation)
            if made["cniVersion"]?.stringValue == nil { made["cniVersion"] = .string(list.version.text) }
            result = made
        }
        if let rules, !wereSeen { sayOnce(await rules.value, pod: arguments.pod) }
        guard let result else { throw NetworkError(.configuration, reason: "the network has no plugin") }
        let read = try NetworkResult(result, interface: arguments.interface, network: list.name)
        var done = record
        done.phase = .attached
        done.result = result
        try store.write(done)
        return read
    }

    /// What the default network needs of this host.
    private func prepareStandard() async throws(NetworkError) -> Task<String?, Never>? {
        let ranges = try await ranges()
        if ranges.contains(where: { $0.family == .ipv6 }) {
            do throws(SystemError) {
                try HostIPv6.forward()
                try HostIPv6.prepare(bridge: configuration.bridge)
            } catch {
                throw NetworkError(.host, reason: "this host can't be made ready for IPv6: \(error)")
            }
        }
        return keepRules(ranges)
    }

    private func check(_ attachment: Attachment) throws(NetworkError) {
        guard !attachment.netns.isEmpty else {
            throw NetworkError(.configuration, reason: "the sandbox has no network namespace")
        }
        // CNI_ARGS is a list with semicolons.
        for text in [attachment.podNamespace, attachment.podName, attachment.podUID, attachment.interface]
        where text.contains(";") || text.utf8.contains(0) {
            throw NetworkError(.configuration, reason: "'\(text)' holds a character that no name has")
        }
    }
}

extension NetworkError {
    /// The same error, told of a pod.
    func of(pod: String) -> NetworkError {
        var told = self
        if told.pod.isEmpty { told.pod = pod }
        return told
    }
}
