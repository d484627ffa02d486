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
        guard let images else {
            throw RPCError(
                code: .failedPrecondition,
                message:
                    "this node's images are kept by another CRI runtime: load them there (`ctr -n k8s.io images import`)"
            )
        }
        guard request.path.hasPrefix("/") else {
            throw RPCError(code: .invalidArgument, message: "not an absolute path: \"\(request.path)\"")
        }
        // A slow reader of the progress mustn't slow the import down: it gets the newest step and no backlog.
        let (steps, input) = AsyncStream.makeStream(of: ImageProgress.self, bufferingPolicy: .bufferingNewest(1))
        async let loaded: [ImageRecord] = {
            defer { input.finish() }
            return try await images.load(tarball: request.path, pinned: request.pinned) { input.yield($0) }
        }()
        for await step in steps { try await response.write(ControlLoadImageProgress(step)) }
        do {
            let records = try await loaded
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
        step =
            progress.layers > 0
            ? "\(progress.stage.rawValue) layer \(progress.layer) of \(progress.layers)" : progress.stage.rawValue
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
