import CRI
import FoundationEssentials
import GRPCCore
import Images
import KubeTypes
import Kubelet
import NodeControl
import SwiftProtobuf

/// Answers what a person asks of a node and the CRI has no word for (`kubesim.v1.Node`).
struct ControlService: ControlNode.SimpleServiceProtocol {
    /// nil where another CRI runtime keeps the images.
    let images: ImageStore?
    /// nil where only the CRI is served.
    let kubelet: Kubelet?

    func loadImage(
        request: ControlLoadImageRequest, response: RPCWriter<ControlLoadImageProgress>, context: ServerContext
    ) async throws {
        let images = try store("load them there (`ctr -n k8s.io images import`)")
        guard request.path.hasPrefix("/") else {
            throw RPCError(code: .invalidArgument, message: "not an absolute path: \"\(request.path)\"")
        }
        try await tell(response) { observe in
            try await images.load(tarball: request.path, pinned: request.pinned, progress: observe)
        }
    }

    func pullImage(
        request: ControlPullImageRequest, response: RPCWriter<ControlLoadImageProgress>, context: ServerContext
    ) async throws {
        let images = try store("pull them there (`crictl pull`)")
        let credentials = request.auth.isEmpty ? nil : RegistryCredentials(auth: request.auth)
        try await tell(response) { observe in
            [try await images.pull(request.name, credentials: credentials, progress: observe)]
        }
    }

    private func store(_ advice: String) throws -> ImageStore {
        if let images { return images }
        throw RPCError(
            code: .failedPrecondition, message: "this node's images are kept by another CRI runtime: \(advice)")
    }

    /// Tells of work as it goes on, and at the end of the images that it brought.
    private func tell(
        _ response: RPCWriter<ControlLoadImageProgress>,
        _ work: @escaping @Sendable (@escaping @Sendable (ImageProgress) -> Void) async throws -> [ImageRecord]
    ) async throws {
        // A slow reader of the progress mustn't slow the work down: it gets the newest step and no backlog.
        let (steps, input) = AsyncStream.makeStream(of: ImageProgress.self, bufferingPolicy: .bufferingNewest(1))
        async let done: [ImageRecord] = {
            defer { input.finish() }
            return try await work { input.yield($0) }
        }()
        for await step in steps { try await response.write(ControlLoadImageProgress(step)) }
        do {
            let records = try await done
            kubelet?.noticeImagesChanged()
            try await response.write(.with { $0.images = records.map(ControlLoadedImage.init) })
        } catch let error as ImageError {
            throw RPCError(code: .invalidArgument, message: error.description)
        }
    }

    func listPods(request: ControlListPodsRequest, context: ServerContext) async throws -> ControlListPodsResponse {
        guard let kubelet else {
            throw RPCError(
                code: .failedPrecondition,
                message: "`kubesim cri` runs here, without a kubelet: `kubesim crictl pods` lists its sandboxes")
        }
        let reports = await kubelet.podStatuses()
        let refusals = await kubelet.refusals()
        return .with { response in
            response.podList = PodListDocument.json(reports)
            response.refused = refusals.map { refusal in
                .with {
                    $0.file = refusal.file
                    $0.reason = refusal.reasons.joined(separator: "\n")
                }
            }
        }
    }
}

extension ControlLoadImageProgress {
    init(_ progress: ImageProgress) {
        self.init()
        let (stage, layers) = (progress.stage.rawValue, progress.layers)
        if progress.stage == .pulling {
            step = "\(stage), \(progress.layer) of \(layers) layers done"
        } else {
            step = layers > 0 ? "\(stage) layer \(progress.layer) of \(layers)" : stage
        }
        bytesDone = progress.bytes
        bytesTotal = progress.totalBytes
    }
}

extension ControlLoadedImage {
    init(_ record: ImageRecord) {
        self.init()
        id = record.id
        tags = record.repoTags
        sizeBytes = record.size
    }
}
