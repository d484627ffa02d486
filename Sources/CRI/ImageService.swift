/// The image half of the CRI. Every call throws ``CRIError`` and nothing else.
public protocol ImageService: Sendable {
    func listImages(_ request: CRIListImagesRequest) async throws(CRIError) -> CRIListImagesResponse
    func streamImages(
        _ request: CRIStreamImagesRequest
    ) async throws(CRIError) -> AsyncThrowingStream<CRIStreamImagesResponse, any Error>
    func imageStatus(_ request: CRIImageStatusRequest) async throws(CRIError) -> CRIImageStatusResponse
    func pullImage(_ request: CRIPullImageRequest) async throws(CRIError) -> CRIPullImageResponse
    func removeImage(_ request: CRIRemoveImageRequest) async throws(CRIError) -> CRIRemoveImageResponse
    func imageFsInfo(_ request: CRIImageFsInfoRequest) async throws(CRIError) -> CRIImageFsInfoResponse
}
