import CRI
import JSON
import Linux
import Logging
import OCISpec
import PodNetwork
import ShimClient
import ShimProtocol
import SwiftProtobuf

extension Engine {
    /// Makes a sandbox, or joins the making of the same one, or returns the one that is there and ready. The remains of
    /// one that ended are replaced.
    public func runPodSandbox(
        _ request: CRIRunPodSandboxRequest
    ) async throws(CRIError) -> CRIRunPodSandboxResponse {
        let metadata = request.config.metadata
        let key = SandboxRecord.key(metadata)
        let pod = "pod \(metadata.namespace)/\(metadata.name)"
        let runtime = try runtime(handler: request.runtimeHandler, for: pod)
        do {
            let id = try await joined(key, request, runtime: runtime)
            return CRIRunPodSandboxResponse.with { $0.podSandboxID = id.text }
        } catch let error as CRIError where error.message.hasPrefix("pod ") {
            throw error
        } catch {
            throw Failure.translate(error, pod)
        }
    }

    /// Joins the making of the same sandbox; waits for the end of one that is just being undone, or is made from another config.
    private func joined(
        _ key: String, _ request: CRIRunPodSandboxRequest, runtime: String
    ) async throws -> SandboxID {
        while true {
            let flight = runs[key] ?? begin(key, request, runtime: runtime)
            if flight.subject == request, let id = try await flight.value() { return id }
            try await flight.over.wait()
        }
    }

    private func begin(
        _ key: String, _ request: CRIRunPodSandboxRequest, runtime: String
    ) -> Flight<CRIRunPodSandboxRequest, SandboxID> {
        let flight = Flight(request) {
            let result: Result<SandboxID, any Error>
            do {
                result = .success(try await self.run(key, request, runtime: runtime))
            } catch {
                result = .failure(error)
            }
            await self.land(run: key)
            return try result.get()
        }
        runs[key] = flight
        return flight
    }

    private func land(run key: String) { runs[key] = nil }

    private func run(
        _ key: String, _ request: CRIRunPodSandboxRequest, runtime: String
    ) async throws -> SandboxID {
        if closed { throw CRIError(.unavailable, "the engine is shutting down") }
        if let old = sandboxKeys[key], let entry = sandboxes[old] {
            if entry.record.stage == .ready {
                let asked = SandboxRecord.withoutLimits(request.config)
                guard SandboxRecord.withoutLimits(entry.record.config) == asked else {
                    throw CRIError(
                        .alreadyExists,
                        "pod \(podName(old)): attempt \(request.config.metadata.attempt) runs already as sandbox"
                            + " \(old.short), made from another config; stop and remove that one, or ask for another attempt"
                    )
                }
                return old
            }
            try await removeSandbox(old)
        }
        let id = SandboxID()
        let (hosts, resolv) = await Blocking.run {
            // A host without these files is no error: the pod gets the built-in ones.
            (try? File.readText("/etc/hosts", limit: 1 << 20), try? File.readText("/etc/resolv.conf", limit: 1 << 20))
        }
        var current = facts
        current.hostname = HostFacts.currentHostname()
        let plan = try SandboxPlan.make(
            id: id, config: request.config, places: places, facts: current, hostHosts: hosts, hostResolv: resolv,
            handler: try handler(request.runtimeHandler, for: request.config.metadata.name),
            features: features(of: request.runtimeHandler))

        let record = SandboxRecord(
            id: id, config: request.config, runtimeHandler: request.runtimeHandler, stage: .making,
            createdAtNanoseconds: wallClockNanoseconds(), netns: plan.netns,
            networkAttached: plan.attachment != nil)
        let context = "pod \(plan.pod): sandbox"
        do {
            // What is about to be made stands on disk before it is made.
            try await store.save(record)
        } catch {
            throw Failure.translate(error, "\(context): record")
        }
        let entry = SandboxEntry(record)
        sandboxes[id] = entry
        sandboxKeys[key] = id
        do {
            try await Blocking.$lane.withValue(id.text) {
                try await entry.turnstile.pass { try await apply(plan, runtime: runtime, context: context) }
            }
        } catch {
            // One that nobody waits for any more is no news.
            logger.log(
                level: Task.isCancelled ? .debug : .warning, "a sandbox could not be made",
                metadata: ["pod": "\(plan.pod)", "reason": "\(error)"])
            await rollBack(id)
            // Whatever it was that came of it.
            if Task.isCancelled { throw CancellationError() }
            throw error
        }
        announce(sandbox: id, .containerCreatedEvent)
        announce(sandbox: id, .containerStartedEvent)
        return id
    }

    /// Carries the plan out: the network plugins run beside everything that can do without addresses.
    private func apply(_ plan: SandboxPlan, runtime: String, context: String) async throws {
        var watch = StepWatch()
        let places = places
        let (id, files) = (plan.id, places.files(plan.id))
        guard sandboxes[id]?.record.stage == .making else {
            throw CRIError(.failedPrecondition, "\(context): it was removed while it was being made")
        }
        try await reachedOrLeft(.sandboxRecorded)
        do {
            try await Blocking.run { try Directory.make(places.shim(id), mode: 0o700) }
        } catch {
            throw Failure.translate(error, "\(context): directory")
        }
        try await reachedOrLeft(.podDirectoryMade)
        async let prepared: Void = Self.prepare(plan, files: files, bundle: places.pauseBundle(id))
        let shim = try await step("\(context): shim") {
            try await shims.start(
                ShimLaunch(
                    program: configuration.shimPath, sandbox: id.text, directory: places.shim(id), runtime: runtime,
                    runtimeRoot: places.runtimeRoot, networkNamespace: plan.netns,
                    userNamespace: plan.idMappings?.shim(path: places.userNamespace(id)),
                    systemdCgroup: configuration.cgroupDriver == .systemd, deadline: configuration.shimDeadline))
        }
        adopt(shim, for: id)
        try await reachedOrLeft(.shimStarted)
        watch.lap("shim")
        async let attached = attach(plan, context: context)
        do { try await prepared } catch { throw Failure.translate(error, "\(context): files") }
        try await reachedOrLeft(.podFilesWritten)
        watch.lap("files")
        let privatePIDs = plan.spec.config.linux.securityContext.namespaceOptions.pid != .node
        let pid = try await step("\(context): create pause") {
            try await shim.create(
                CreateRequest(
                    id: id.text, bundle: places.pauseBundle(id), privatePIDNamespace: privatePIDs,
                    deadlineMilliseconds: configuration.stepDeadline.wholeMilliseconds))
        }
        watch.lap("create")
        try await reachedOrLeft(.pauseCreated)
        try await step("\(context): start pause") {
            try await shim.start(id.text, deadline: configuration.stepDeadline)
        }
        watch.lap("start")
        try await reachedOrLeft(.pauseStarted)
        let network = try await attached
        try await reachedOrLeft(.networkAttached)
        watch.lap("network")
        guard sandboxes[id]?.ended.isOpen == false else {
            throw CRIError(.unavailable, "\(context): the pod's own process (pause) has ended by itself")
        }
        try await hookRun(id, pid: pid, addresses: network?.ips ?? [], context: context)
        do {
            try await change(id) { record in
                record.pausePID = pid
                record.stage = .ready
                record.addresses = network?.ips ?? []
                record.networkResult = network.map { Self.document($0, netns: plan.netns ?? "") }
            }
        } catch {
            throw Failure.translate(error, "\(context): record")
        }
        watch.lap("record")
        try await reached(.sandboxReady)
        logger.debug("sandbox made", metadata: ["pod": "\(plan.pod)", "sandbox": "\(id)", "ms": "\(watch)"])
    }

    /// The pod's files, its shared memory, and pause's bundle.
    private static func prepare(_ plan: SandboxPlan, files: PodFiles, bundle: String) async throws {
        let spec = try SandboxSpec.build(plan.spec).encoded()
        try await Blocking.run {
            try Self.checkReachable(plan.spec.rootfs, by: plan.idMappings)
            try AtomicFile.write(files.hosts, plan.hostsText, mode: 0o644)
            try AtomicFile.write(files.hostname, plan.hostname + "\n", mode: 0o644)
            try AtomicFile.write(files.resolvConf, plan.resolvText, mode: 0o644)
            if plan.makesShm {
                try Directory.make(files.shm, mode: 0o1777)
                try Linux.Mount.mount(
                    source: "shm", target: files.shm, type: "tmpfs", flags: [.noSetID, .noDevices, .noExec],
                    data: "mode=1777,size=65536k")
            }
            try Self.hand([files.hosts, files.hostname, files.resolvConf], to: plan.idMappings)
            if plan.makesShm { try Self.hand([files.shm], to: plan.idMappings) }
            try Directory.make(bundle, mode: 0o700)
            try AtomicFile.write(bundle + "/config.json", spec, mode: 0o600)
        }
    }

    private func attach(_ plan: SandboxPlan, context: String) async throws -> NetworkResult? {
        guard let attachment = plan.attachment else { return nil }
        return try await step("\(context): network") { try await network.attach(attachment) }
    }

    /// The network's result as containerd's `cniResult` has it, which people's scripts read.
    private static func document(_ result: NetworkResult, netns: String) -> JSONValue {
        func interface(_ addresses: [NetworkResult.Address], mac: String, sandbox: String) -> JSONValue {
            let configs = addresses.map { address -> JSONValue in
                ["IP": .string(address.ip), "Gateway": address.gateway.map(JSONValue.string) ?? ""]
            }
            return [
                "IPConfigs": configs.isEmpty ? .null : .array(configs), "Mac": .string(mac),
                "Sandbox": .string(sandbox),
            ]
        }
        var interfaces: JSONValue = [
            "lo": interface(
                [NetworkResult.Address(cidr: "127.0.0.1/8"), NetworkResult.Address(cidr: "::1/128")],
                mac: "00:00:00:00:00:00", sandbox: netns),
            // Plugins of before 0.3.1 may name no interface at all.
            "eth0": interface(result.addresses, mac: result.mac ?? "", sandbox: netns),
        ]
        for made in result.interfaces where !made.name.isEmpty {
            interfaces[made.name] = interface(made.addresses, mac: made.mac, sandbox: made.sandbox)
        }
        return [
            "Interfaces": interfaces,
            "DNS": [
                [
                    "nameservers": .array(result.nameservers.map(JSONValue.string)),
                    "search": .array(result.searchDomains.map(JSONValue.string)),
                    "options": .array(result.dnsOptions.map(JSONValue.string)),
                ]
            ],
            "Routes": nil,
            "Network": .string(result.network),
        ]
    }

    /// Runs one step and gives what it throws the step's name. The rooms below keep their own deadlines and undo what
    /// they began, so a step is never abandoned halfway.
    func step<Value: Sendable>(_ name: String, _ work: () async throws -> Value) async throws -> Value {
        do { return try await work() } catch { throw Failure.translate(error, name) }
    }
}
