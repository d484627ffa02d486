import CRI
import KubeTypes
import SwiftProtobuf

/// Gets a container's image by its pull policy.
struct ImageDesk: Sendable {
    let images: any ImageService
    /// Where images are dropped, for the message of one that is missing.
    let imagesDirectory: String
    /// Returns once the images that were lying there at the node's start have been imported; until then, one that is
    /// missing may be on its way.
    let settled: @Sendable () async -> Void

    /// The image as the runtime knows it.
    struct Found: Sendable, Hashable {
        var id: String
        var user: ImageUser
        /// It was fetched just now.
        var isNew: Bool
    }

    /// Why there is none.
    struct Missing: Error, Sendable, Hashable {
        /// ErrImageNeverPull, ErrImagePull, InvalidImageName or ImageInspectError.
        var reason: String
        var message: String
    }

    func get(_ container: Container, sandbox: CRIPodSandboxConfig) async throws(Missing) -> Found {
        let policy = container.imagePullPolicy == .unset ? PullPolicy.ifNotPresent : container.imagePullPolicy
        let reference = container.image
        if policy != .always, let found = try await look(reference) { return found }
        await settled()
        if policy != .always, let found = try await look(reference) { return found }
        if policy == .never {
            throw Missing(
                reason: "ErrImageNeverPull",
                message: "Container image \"\(reference)\" is not present with pull policy of Never" + place)
        }
        do {
            var request = CRIPullImageRequest()
            request.image.image = reference
            request.sandboxConfig = sandbox
            let pulled = try await images.pullImage(request).imageRef
            let status = try await images.imageStatus(
                CRIImageStatusRequest.with { $0.image.image = pulled.isEmpty ? reference : pulled })
            guard status.hasImage else {
                throw Missing(reason: "ErrImagePull", message: "image \"\(reference)\" was pulled and is not there")
            }
            return Found(id: status.image.id, user: ImageUser(status.image), isNew: true)
        } catch let error as CRIError {
            // The runtime says where it looked; a pod that waits shows its words.
            throw Missing(
                reason: "ErrImagePull", message: "failed to pull image \"\(reference)\": \(error.message)" + place)
        } catch let missing as Missing {
            throw missing
        } catch {
            throw Missing(reason: "ErrImagePull", message: "failed to pull image \"\(reference)\": \(error)")
        }
    }

    private var place: String {
        imagesDirectory.isEmpty ? "" : " (no archive in \(imagesDirectory) holds it: drop one there)"
    }

    private func look(_ reference: String) async throws(Missing) -> Found? {
        do throws(CRIError) {
            let status = try await images.imageStatus(CRIImageStatusRequest.with { $0.image.image = reference })
            guard status.hasImage, !status.image.id.isEmpty else { return nil }
            return Found(id: status.image.id, user: ImageUser(status.image), isNew: false)
        } catch {
            if error.code == .notFound { return nil }
            if error.code == .invalidArgument { throw Missing(reason: "InvalidImageName", message: error.message) }
            throw Missing(
                reason: "ImageInspectError", message: "failed to inspect image \"\(reference)\": \(error.message)")
        }
    }
}

extension ImageUser {
    init(_ image: CRIImage) {
        self.init(uid: image.hasUid ? image.uid.value : nil, name: image.username)
    }
}
