import CRI

/// Each call is one RPC; a pull takes as long as it takes.
extension CRIClient: ImageService {
    public func listImages(_ request: CRIListImagesRequest) async throws(CRIError) -> CRIListImagesResponse {
        try await unary(CRIImageService.Method.ListImages.descriptor, request, within: timeout)
    }

    public func streamImages(_ request: CRIStreamImagesRequest) async throws(CRIError) -> AsyncThrowingStream<
        CRIStreamImagesResponse, any Error
    > {
        await stream(CRIImageService.Method.StreamImages.descriptor, request)
    }

    public func imageStatus(_ request: CRIImageStatusRequest) async throws(CRIError) -> CRIImageStatusResponse {
        try await unary(CRIImageService.Method.ImageStatus.descriptor, request, within: timeout)
    }

    public func pullImage(_ request: CRIPullImageRequest) async throws(CRIError) -> CRIPullImageResponse {
        try await unary(CRIImageService.Method.PullImage.descriptor, request, within: nil)
    }

    public func removeImage(_ request: CRIRemoveImageRequest) async throws(CRIError) -> CRIRemoveImageResponse {
        try await unary(CRIImageService.Method.RemoveImage.descriptor, request, within: timeout)
    }

    public func imageFsInfo(_ request: CRIImageFsInfoRequest) async throws(CRIError) -> CRIImageFsInfoResponse {
        try await unary(CRIImageService.Method.ImageFsInfo.descriptor, request, within: timeout)
    }
}
