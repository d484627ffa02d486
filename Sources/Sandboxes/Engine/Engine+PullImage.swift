import CRI
import Images
import SwiftProtobuf

extension Engine {
    /// Brings the image into the store. What it is named by from then on is its id.
    public func pullImage(_ request: CRIPullImageRequest) async throws(CRIError) -> CRIPullImageResponse {
        let reference = request.image.image
        let record: ImageRecord
        do throws(ImageError) {
            record = try await images.pull(
                reference, credentials: request.hasAuth ? RegistryCredentials(request.auth) : nil)
        } catch {
            throw Self.pullError(error, reference)
        }
        return CRIPullImageResponse.with { $0.imageRef = record.id }
    }

    private static func pullError(_ error: ImageError, _ reference: String) -> CRIError {
        switch error {
        case .registry(_, let failure):
            var text = "pull image \(reference): \(failure)"
            if failure.code == .unavailable {
                text +=
                    "; without a registry, bring it in with kubesim image load FILE, or drop its tarball into the images directory"
            }
            return CRIError(code(failure.code), text)
        case .cancelled: return CRIError(.cancelled, "pull image \(reference): the caller went away")
        default: return Failure.translate(error, "pull image \(reference)")
        }
    }

    private static func code(_ code: RegistryFailure.Code) -> CRIError.Code {
        switch code {
        case .notFound: .notFound
        case .unauthenticated: .unauthenticated
        case .denied: .permissionDenied
        case .exhausted: .resourceExhausted
        case .unavailable: .unavailable
        case .deadline: .deadlineExceeded
        case .refused: .failedPrecondition
        case .cancelled: .cancelled
        case .configuration: .invalidArgument
        }
    }
}

extension RegistryCredentials {
    init(_ auth: CRIAuthConfig) {
        self.init(
            username: auth.username, password: auth.password, auth: auth.auth, serverAddress: auth.serverAddress,
            identityToken: auth.identityToken, registryToken: auth.registryToken)
    }
}
