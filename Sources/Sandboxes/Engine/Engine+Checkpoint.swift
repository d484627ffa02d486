import CRI
import Images
import Linux
import Logging

extension Engine {
    /// The annotation of a container's config that names a checkpoint, a file of the checkpoint directory, to be restored
    /// instead of starting the image's program.
    ///
    /// It is the container's: the kubelet passes on none of a pod's author there. And it is a name, not a path: what may be
    /// restored is what the node's owner put into that directory.
    static let restoreAnnotation = "dev.kubesim/restore-checkpoint"

    /// Writes a running container's processes, and what it wrote, into an archive at `location`; the container goes on.
    public func checkpointContainer(
        _ request: CRICheckpointContainerRequest
    ) async throws(CRIError) -> CRICheckpointContainerResponse {
        let entry = try container(request.containerID)
        let name = describe(entry.record)
        let location = request.location
        guard location.hasPrefix("/"), !location.hasSuffix("/"), !location.utf8.contains(0) else {
            throw CRIError(
                .invalidArgument,
                "\(name): checkpoint: location \"\(location.prefix(200))\": not an absolute path of a file")
        }
        do {
            try await entry.turnstile.pass {
                try await checkpoint(entry.record.id, to: location, seconds: request.timeout, name: name)
            }
            return CRICheckpointContainerResponse()
        } catch {
            throw Failure.translate(error, "\(name): checkpoint")
        }
    }

    private func checkpoint(_ id: ContainerID, to location: String, seconds: Int64, name: String) async throws {
        guard let record = containers[id]?.record, record.stage == .running else {
            throw CRIError(.failedPrecondition, "the container doesn't run")
        }
        let handler = sandboxes[record.sandbox]?.record.runtimeHandler ?? ""
        let runtime = RuntimeCommand(path: try runtime(handler: handler, for: name), root: places.runtimeRoot)
        let folder = places.checkpoint(id) + "-\(UInt32.random(in: 0 ... .max))"
        let archive = CheckpointArchive(
            id: id.text, name: record.config.metadata.name, image: record.config.image.image,
            imageRef: record.imageRef, runtime: runtime.path, createdAtNanoseconds: record.createdAtNanoseconds,
            status: status(record), bundle: places.bundle(id), logPath: record.logPath, images: folder + "/images",
            work: folder + "/work", upper: images.upperDirectory(container: id.text))
        // 0 is the caller's "as long as it takes", which has an end here, as has any number.
        let milliseconds = Int32(min(seconds > 0 ? seconds : 600, 86_400) * 1000)
        let result: Result<Void, any Error> = await Blocking.run {
            Result {
                try Directory.make(archive.images, mode: 0o700)
                try Directory.make(archive.work, mode: 0o700)
                try runtime.checkpoint(
                    id.text, images: archive.images, work: archive.work, milliseconds: milliseconds)
                try archive.write(to: location)
            }
        }
        do {
            try await Blocking.run { try Directory.removeTree(folder) }
        } catch {
            logger.warning(
                "a checkpoint's files can't be removed", metadata: ["path": "\(folder)", "reason": "\(error)"])
        }
        try result.get()
        logger.info("container checkpointed", metadata: ["container": "\(id.short)", "archive": "\(location)"])
    }

    /// Takes the images of processes out of the checkpoint that a config names: nil when it names none.
    func unpackCheckpoint(_ record: ContainerRecord) async throws {
        guard let name = record.config.annotations[Self.restoreAnnotation] else { return }
        guard !name.isEmpty, name.utf8.count <= 255, !name.contains("/"), name != ".", name != ".." else {
            throw CRIError(
                .invalidArgument, "\(Self.restoreAnnotation) \"\(name.prefix(80))\": not the name of a checkpoint")
        }
        guard !record.config.tty else {
            throw CRIError(.invalidArgument, "\(Self.restoreAnnotation): a container with a terminal can't be restored")
        }
        let (folder, target) = (configuration.checkpointDirectory, places.checkpoint(record.id))
        try await Blocking.run { try CheckpointImages.unpack(name, below: folder, into: target) }
    }

    /// Where the images of processes lie that a container starts from; nil for one that starts its program.
    func checkpointImages(of record: ContainerRecord) -> String? {
        record.config.annotations[Self.restoreAnnotation] == nil ? nil : places.checkpoint(record.id)
    }
}
