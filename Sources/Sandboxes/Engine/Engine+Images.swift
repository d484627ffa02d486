import CRI
import Images
import JSON
import SwiftProtobuf

extension Engine {
    public func listImages(_ request: CRIListImagesRequest) async throws(CRIError) -> CRIListImagesResponse {
        let all = await list(request.filter)
        return CRIListImagesResponse.with { $0.images = all }
    }

    public func streamImages(
        _ request: CRIStreamImagesRequest
    ) async throws(CRIError) -> AsyncThrowingStream<CRIStreamImagesResponse, any Error> {
        chunks(await list(request.filter)) { items in CRIStreamImagesResponse.with { $0.images = items } }
    }

    private func list(_ filter: CRIImageFilter) async -> [CRIImage] {
        if !filter.image.image.isEmpty {
            return await images.find(filter.image.image).map { [Self.image($0)] } ?? []
        }
        return await images.list().map(Self.image)
    }

    /// An image that isn't there is an answer without an image, not an error.
    public func imageStatus(_ request: CRIImageStatusRequest) async throws(CRIError) -> CRIImageStatusResponse {
        guard let record = await images.find(request.image.image) else { return CRIImageStatusResponse() }
        return CRIImageStatusResponse.with {
            $0.image = Self.image(record)
            if request.verbose { $0.info = ["info": Self.info(record)] }
        }
    }

    /// Removes a name, and with the last one the image; one that isn't there is success.
    public func removeImage(_ request: CRIRemoveImageRequest) async throws(CRIError) -> CRIRemoveImageResponse {
        do {
            try await images.remove(request.image.image)
        } catch ImageError.notFound {
            return CRIRemoveImageResponse()
        } catch {
            throw Failure.translate(error, "image \(request.image.image): remove")
        }
        return CRIRemoveImageResponse()
    }

    public func imageFsInfo(_ request: CRIImageFsInfoRequest) async throws(CRIError) -> CRIImageFsInfoResponse {
        let usage: FilesystemUsage
        do {
            usage = try await images.filesystemUsage()
        } catch {
            throw Failure.translate(error, "image filesystem")
        }
        let now = wallClockNanoseconds()
        func filesystem(_ used: DiskUsage) -> CRIFilesystemUsage {
            CRIFilesystemUsage.with {
                $0.timestamp = now
                $0.fsID.mountpoint = usage.mountpoint
                $0.usedBytes.value = used.bytes
                $0.inodesUsed.value = used.inodes
            }
        }
        return CRIImageFsInfoResponse.with {
            $0.imageFilesystems = [filesystem(usage.images)]
            $0.containerFilesystems = [filesystem(usage.snapshots)]
        }
    }

    private static func image(_ record: ImageRecord) -> CRIImage {
        CRIImage.with {
            $0.id = record.id
            $0.repoTags = record.repoTags
            $0.repoDigests = record.repoDigests
            $0.size = record.size
            $0.pinned = record.pinned
            $0.spec.image = record.id
            // The kubelet decides by it whether the image would run as root.
            let user = String(record.config.user.prefix { $0 != ":" })
            if let uid = Int64(user) {
                $0.uid.value = uid
            } else {
                $0.username = user
            }
        }
    }

    /// What containerd's verbose answer has: the image's configuration in the words of the image spec.
    private static func info(_ record: ImageRecord) -> String {
        let config = record.config
        func strings(_ values: [String]) -> JSONValue { .array(values.map(JSONValue.string)) }
        func keys(_ values: [String]) -> JSONValue {
            .object(JSONObject(values.map { JSONObject.Member(key: $0, value: [:]) }))
        }
        let info: JSONValue = [
            "chainID": .string(record.chainID),
            "imageSpec": [
                "created": config.created.map(JSONValue.string) ?? .null,
                "architecture": .string(config.architecture), "os": .string(config.os),
                "config": [
                    "User": .string(config.user), "ExposedPorts": keys(config.exposedPorts),
                    "Env": strings(config.env), "Entrypoint": strings(config.entrypoint), "Cmd": strings(config.cmd),
                    "Volumes": keys(config.volumes), "WorkingDir": .string(config.workingDir),
                    "Labels": .object(
                        JSONObject(
                            config.labels.sorted { $0.key < $1.key }
                                .map { JSONObject.Member(key: $0.key, value: .string($0.value)) })),
                    "StopSignal": .string(config.stopSignal),
                ],
                "rootfs": ["type": "layers", "diff_ids": strings(record.layers)],
            ],
        ]
        return String(decoding: info.encoded(pretty: false), as: UTF8.self)
    }
}
