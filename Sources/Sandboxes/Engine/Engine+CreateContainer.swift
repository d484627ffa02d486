import CRI
import Images
import JSON
import Linux
import Logging
import OCISpec
import SwiftProtobuf

extension Engine {
    /// Makes a container: its root filesystem, its volumes, its spec. Nothing of it runs before StartContainer.
    ///
    /// A second call with the same name and attempt joins the first, or returns what it made when the configs agree; what
    /// has ended, or was made from another config, is replaced.
    public func createContainer(
        _ request: CRICreateContainerRequest
    ) async throws(CRIError) -> CRICreateContainerResponse {
        let sandbox = try sandbox(request.podSandboxID)
        let id = sandbox.record.id
        let name = "pod \(podName(id)), container \(request.config.metadata.name)"
        guard request.config.hasMetadata, !request.config.metadata.name.isEmpty else {
            throw CRIError(.invalidArgument, "pod \(podName(id)): container config without a name")
        }
        guard sandbox.record.stage == .ready else {
            throw CRIError(.failedPrecondition, "\(name): the pod sandbox \(id.short) is not ready")
        }
        let key = ContainerRecord.key(request.config.metadata, sandbox: id)
        do {
            let made = try await joined(key, request.config, sandbox: id, name: name)
            return CRICreateContainerResponse.with { $0.containerID = made.text }
        } catch {
            throw Failure.translate(error, name)
        }
    }

    /// Joins the making of the same container; waits for the end of one that is just being undone, or is made from another
    /// config.
    private func joined(
        _ key: String, _ config: CRIContainerConfig, sandbox: SandboxID, name: String
    ) async throws -> ContainerID {
        while true {
            let flight = creations[key] ?? begin(key, config, sandbox: sandbox, name: name)
            if flight.subject == config, let id = try await flight.value() { return id }
            try await flight.over.wait()
        }
    }

    private func begin(
        _ key: String, _ config: CRIContainerConfig, sandbox: SandboxID, name: String
    ) -> Flight<CRIContainerConfig, ContainerID> {
        let flight = Flight(config) {
            let result: Result<ContainerID, any Error>
            do {
                result = .success(
                    try await Blocking.$lane.withValue(sandbox.text) {
                        try await self.create(key, config, sandbox: sandbox, name: name)
                    })
            } catch {
                result = .failure(error)
            }
            await self.land(creation: key)
            return try result.get()
        }
        creations[key] = flight
        return flight
    }

    private func land(creation key: String) { creations[key] = nil }

    private func create(
        _ key: String, _ config: CRIContainerConfig, sandbox: SandboxID, name: String
    ) async throws -> ContainerID {
        if closed { throw CRIError(.unavailable, "\(name): the engine is shutting down") }
        try UnknownWords.refuse(in: config, of: name)
        if let old = containerKeys[key], let entry = containers[old] {
            switch entry.record.stage {
            case .created where entry.record.config == config: return old
            case .running, .starting:
                throw CRIError(
                    .alreadyExists,
                    "\(name): attempt \(config.metadata.attempt) runs already as container \(old.short)")
            default: try await removeContainer(old)
            }
        }
        let image = try await findImage(config.image, for: name)
        guard let owner = sandboxes[sandbox] else { throw CRIError(.notFound, "\(name): the pod sandbox is gone") }
        let id = ContainerID()
        let logDirectory = owner.record.config.logDirectory
        let record = ContainerRecord(
            id: id, sandbox: sandbox, config: config, stage: .making, imageID: image.id,
            imageRef: image.repoDigests.first ?? image.id, createdAtNanoseconds: wallClockNanoseconds(),
            stopSignal: StopSignal.choose(config: config.stopSignal, image: image.config.stopSignal),
            user: ResolvedUser(uid: 0, gid: 0, groups: []),
            cgroupsPath: try places.cgroup(parent: owner.record.config.linux.cgroupParent, id: id.text),
            logPath: try Self.logPath(config.logPath, below: logDirectory, for: name))
        do {
            // What is about to be made stands on disk before it is made.
            try await store.save(record)
        } catch {
            throw Failure.translate(error, "\(name): record")
        }
        guard sandboxes[sandbox]?.record.stage == .ready else {
            // Nothing was made yet but the record; should that stay, the next start takes it away.
            try? await store.forget(id)
            throw CRIError(.failedPrecondition, "\(name): the pod sandbox stopped meanwhile")
        }
        let entry = ContainerEntry(record)
        containers[id] = entry
        containerKeys[key] = id
        do {
            try await entry.turnstile.pass { try await make(id, image: image, sandbox: owner.record, name: name) }
        } catch {
            await rollBack(id)
            // Whatever it was that came of it.
            if Task.isCancelled { throw CancellationError() }
            throw error
        }
        announce(container: id, .containerCreatedEvent)
        await hookCreated(id)
        return id
    }

    private func make(
        _ id: ContainerID, image: ImageRecord, sandbox: SandboxRecord, name: String
    ) async throws {
        guard let record = containers[id]?.record, record.stage == .making else {
            throw CRIError(.failedPrecondition, "\(name): it was removed while it was being made")
        }
        try await reachedOrLeft(.containerRecorded)
        var watch = StepWatch()
        let places = places
        let mappings = try idMappings(record.config, in: sandbox, for: name)
        let mapping = mappings?.rootMapping(path: places.userNamespace(sandbox.id))
        let rules = try hostRules(record.config, in: sandbox)
        try await step("\(name): directory") {
            try await Blocking.run {
                try Self.makeBundle(places.bundle(id), rootfs: places.rootfs(id), mappings: mappings)
            }
        }
        async let lookedAt = lookAtHost(record, rules)
        try await step("\(name): root filesystem") {
            _ = try await images.mountRootfs(
                image: image, container: id.text, at: places.rootfs(id), readOnly: false, mapping: mapping)
        }
        watch.lap("rootfs")
        try await reachedOrLeft(.rootMounted)
        var found: HostSide
        do { found = try await lookedAt } catch { throw Failure.translate(error, name) }
        let mounted = try await step(name) { try await mountImageVolumes(record, mapping: mapping) }
        found.mounts += mounted.mounts
        let taken = Set(found.mounts.map(\.destination))
        let wish = Self.userWish(record.config, image: image.config)
        let (user, volumes) = try await step(name) {
            try await Blocking.run {
                let user = try RootfsFiles.users(rootfs: places.rootfs(id)).resolve(wish)
                let asked = image.config.volumes.filter { !taken.contains(ProcessPlan.cleanPath($0)) }
                let volumes = try VolumeCopy.prepare(
                    volumes: asked, rootfs: places.rootfs(id), folder: places.volumes(id))
                try Self.hand(volumes.map(\.source), to: mappings)
                return (user, volumes)
            }
        }
        try await step(name) { try await unpackCheckpoint(record) }
        watch.lap("user and volumes")
        try await reachedOrLeft(.volumesMade)
        var spec: Spec
        do {
            var input = try input(
                record, image: image, user: user, volumes: volumes, found: found, sandbox: sandbox, name: name)
            input.idMappings = mappings
            input.userNamespace = places.userNamespace(sandbox.id)
            input.labels = rules.labels
            spec = try ContainerSpec.build(input)
        } catch {
            throw Failure.translate(error, name)
        }
        spec = try await hookCreate(id, spec, name: name)
        try await step("\(name): bundle") { [spec] in
            let bytes = spec.encoded()
            try await Blocking.run {
                try AtomicFile.write(places.bundle(id) + "/config.json", bytes, mode: 0o600)
            }
        }
        watch.lap("spec")
        try await reachedOrLeft(.bundleWritten)
        guard sandboxes[sandbox.id]?.record.stage == .ready else {
            throw CRIError(.failedPrecondition, "\(name): the pod sandbox stopped meanwhile")
        }
        containers[id]?.process = spec.process
        do {
            try await change(id) { record in
                record.user = user
                record.volumes = Dictionary(volumes.map { ($0.destination, $0.source) }) { first, _ in first }
                record.imageVolumes = mounted.references
                record.stage = .created
            }
        } catch {
            throw Failure.translate(error, "\(name): record")
        }
        try await reached(.containerMade)
        logger.debug("container made", metadata: ["container": "\(id.short)", "name": "\(name)", "ms": "\(watch)"])
    }

    /// What the look at the host goes by.
    private func hostRules(
        _ config: CRIContainerConfig, in sandbox: SandboxRecord
    ) throws(CRIError) -> HostSide.Rules {
        let (own, pods) = (config.linux.securityContext, sandbox.config.linux.securityContext)
        return HostSide.Rules(
            features: features(of: sandbox.runtimeHandler), seccompProfileRoot: configuration.seccompProfileRoot,
            cdiDirectories: configuration.cdiDirectories,
            labels: try SELinuxLabels.plan(
                container: own.hasSelinuxOptions ? own.selinuxOptions : nil,
                pod: pods.hasSelinuxOptions ? pods.selinuxOptions : nil, facts: facts))
    }

    private func input(
        _ record: ContainerRecord, image: ImageRecord, user: ResolvedUser,
        volumes: [(destination: String, source: String)], found: HostSide, sandbox: SandboxRecord, name: String
    ) throws(CRIError) -> ContainerSpecInput {
        let options = record.config.linux.securityContext.namespaceOptions
        var targetPID: Int32?
        if options.pid == .target {
            guard let target = try findContainer(options.targetID), let entry = containers[target],
                entry.record.sandbox == record.sandbox, entry.record.stage == .running
            else {
                throw CRIError(
                    .failedPrecondition,
                    "\(name): target container \"\(options.targetID.prefix(80))\" doesn't run in this pod")
            }
            targetPID = entry.record.pid
        }
        let hostNetwork = sandbox.netns == nil
        let hostname =
            sandbox.config.hostname.isEmpty
            ? String(sandbox.config.metadata.name.prefix(63)) : sandbox.config.hostname
        var localhost: LinuxSeccomp?
        if let (path, bytes) = found.seccompFile {
            localhost = try SeccompProfile.parse(bytes, path: path, facts: facts)
        }
        var facts = facts
        if facts.appArmor { facts.appArmorProfiles = HostFacts.loadedAppArmorProfiles() }
        return ContainerSpecInput(
            id: record.id, sandbox: record.sandbox, config: record.config, sandboxConfig: sandbox.config,
            image: image.config, imageName: record.config.image.image, user: user, rootfs: places.rootfs(record.id),
            files: places.files(record.sandbox), pausePID: sandbox.pausePID, netns: sandbox.netns,
            targetPID: targetPID, hostname: hostNetwork ? HostFacts.currentHostname() : hostname,
            mounts: found.mounts, volumes: volumes, devices: found.devices, localhostSeccomp: localhost,
            cgroupsPath: try places.ociCgroup(parent: sandbox.config.linux.cgroupParent, id: record.id.text),
            facts: facts,
            handler: try handler(sandbox.runtimeHandler, for: name), features: features(of: sandbox.runtimeHandler),
            cdi: found.cdi)
    }

    /// A host path may lie on a filesystem that hangs (a dead NFS server's): that pod alone waits for it, and not for ever. The
    /// pod's own files don't wait behind it: they have another lane.
    private func lookAtHost(_ record: ContainerRecord, _ rules: HostSide.Rules) async throws -> HostSide {
        let place = Whereabouts()
        let (limit, config, lane) = (configuration.stepDeadline, record.config, "host " + record.sandbox.text)
        do {
            return try await withDeadline(limit, step: "look at the host's paths") {
                try await Blocking.$lane.withValue(lane) {
                    try await Blocking.run { try HostSide.look(config, rules, at: place) }
                }
            }
        } catch let error as CRIError where error.code == .deadlineExceeded {
            throw CRIError(
                .deadlineExceeded, "host path \(place.path): no answer within \(limit); its filesystem may hang")
        }
    }

    static func userWish(_ config: CRIContainerConfig, image: ImageConfig) -> UserWish {
        let security = config.linux.securityContext
        return UserWish(
            uid: security.hasRunAsUser ? security.runAsUser.value : nil, username: security.runAsUsername,
            gid: security.hasRunAsGroup ? security.runAsGroup.value : nil, imageUser: image.user,
            supplementalGroups: security.supplementalGroups,
            strictGroups: security.supplementalGroupsPolicy == .strict)
    }

    /// The image that a config names, by the reference the kubelet resolved or by name.
    func findImage(_ spec: CRIImageSpec, for name: String) async throws(CRIError) -> ImageRecord {
        for reference in [spec.image, spec.imageRef] where !reference.isEmpty {
            if let image = await images.find(reference) { return image }
        }
        throw CRIError(
            .notFound,
            "\(name): image \(spec.image) is not in the store \(images.root); kubesim image load FILE brings one in")
    }

    /// The log's absolute path: below the pod's log directory, without a step up.
    private static func logPath(
        _ path: String, below directory: String, for name: String
    ) throws(CRIError) -> String {
        guard !path.isEmpty, !directory.isEmpty else { return "" }
        guard !path.hasPrefix("/"), !path.split(separator: "/").contains(".."),
            !path.utf8.contains(where: { $0 < 32 || $0 == 127 })
        else { throw CRIError(.invalidArgument, "\(name): log_path \(path): not a path below the log directory") }
        return directory + "/" + path
    }

    /// Undoes a container that could not be made, whatever became of the caller.
    private func rollBack(_ id: ContainerID) async {
        await Task {
            do {
                try await removeContainer(id)
            } catch {
                logger.error(
                    "a half-made container can't be cleared away; the next start tries again",
                    metadata: ["container": "\(id)", "reason": "\(error)"])
            }
        }.value
    }
}
