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
            return try await attachInTurn(attachment)
        } catch {
            throw error.of(attachment)
        }
    }

    private func attachInTurn(_ attachment: Attachment) async throws(NetworkError) -> NetworkResult {
        try check(attachment)
        if let record = try store.read(attachment.sandbox) {
            if record.phase == .attached, record.attachment == attachment, let value = record.result {
                return try NetworkResult(value, interface: attachment.interface, network: record.list.name)
            }
            // Another life of it, or one that ended halfway: begin anew.
            try await takeOff(record)
        }
        let list = try NetworkList.load(configuration, logger: logger)
        let record = AttachmentRecord(phase: .attaching, attachment: attachment, list: list)
        try store.write(record)
        do throws(NetworkError) {
            return try await runPlugins(record)
        } catch {
            do throws(NetworkError) {
                try await takeOff(record)
            } catch let undo {
                logger.warning(
                    "what a failed attach made could not be taken away yet",
                    metadata: ["pod": "\(attachment.pod)", "sandbox": "\(attachment.sandbox)", "error": "\(undo)"])
            }
            throw error
        }
    }

    private func runPlugins(_ record: AttachmentRecord) async throws(NetworkError) -> NetworkResult {
        let (attachment, list) = (record.attachment, record.list)
        // iptables and the plugins run side by side.
        let rules: Task<String?, Never>? = list.isStandard ? keepRules() : nil
        var result: JSONValue?
        for plugin in list.plugins(for: attachment) {
            if Task.isCancelled { throw NetworkError(.host, reason: "the call was cancelled") }
            let invocation = Invocation(
                .add, plugin: plugin, of: list, for: attachment, netns: attachment.netns, previous: result,
                binDirs: configuration.binDirs)
            result = try await runner.run(invocation, for: attachment)
        }
        if let rules { sayOnce(await rules.value, attachment) }
        guard let result else { throw NetworkError(.configuration, reason: "the network has no plugin") }
        let read = try NetworkResult(result, interface: attachment.interface, network: list.name)
        var done = record
        done.phase = .attached
        done.result = result
        try store.write(done)
        return read
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

    /// Pods work among themselves without the rules; their way to the world doesn't.
    private func sayOnce(_ failure: String?, _ attachment: Attachment) {
        guard let failure else {
            saidThatRulesFail = false
            return
        }
        if saidThatRulesFail { return }
        saidThatRulesFail = true
        logger.warning(
            "pods can't reach beyond this host", metadata: ["pod": "\(attachment.pod)", "error": "\(failure)"])
    }

    /// Looks after the default network's rules, one look for all who ask meanwhile. Gives the reason if it can't.
    func keepRules() -> Task<String?, Never> {
        if let rulesInPlace { return rulesInPlace }
        let task = Task { [firewall] () -> String? in
            let failure: String?
            do throws(NetworkError) {
                try await firewall.ensure()
                failure = nil
            } catch {
                failure = error.reason
            }
            rulesInPlace = nil
            return failure
        }
        rulesInPlace = task
        return task
    }
}

extension NetworkError {
    /// The same error, told of a pod.
    func of(_ attachment: Attachment) -> NetworkError {
        var told = self
        if told.pod.isEmpty { told.pod = attachment.pod }
        return told
    }
}
