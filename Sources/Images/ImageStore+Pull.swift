import Logging

extension ImageStore {
    /// Brings an image from its registry into the store, or finds that it's there already.
    ///
    /// Layers that the store has aren't fetched; two pulls that want the same image or layer share the fetching of it. An
    /// image that a person brought in under that very name counts as pulled: no registry is asked for it.
    ///
    /// - Parameters:
    ///   - credentials: of the request; those of the node's files are used without them
    ///   - progress: called every megabyte or so, from any thread
    public func pull(
        _ name: String, credentials: RegistryCredentials? = nil,
        progress: @escaping @Sendable (ImageProgress) -> Void = { _ in }
    ) async throws(ImageError) -> ImageRecord {
        var image = try ImageReference(name)
        // With a digest the tag means nothing, and isn't recorded; containerd does the same.
        if image.digest != nil { image.tag = nil }
        if let there = find(image.description), there.pinned || image.domain == "localhost" { return there }
        let wanted = image
        let given = credentials.flatMap { $0.isEmpty ? nil : $0 }
        let key = ImagePulls.Key(image: wanted, credentials: given)
        return try await pulls.pull(key, progress: progress) { cancellation, observe in
            await self.fetch(wanted, given, cancellation, observe)
        }.get()
    }

    private func fetch(
        _ image: ImageReference, _ given: RegistryCredentials?, _ cancellation: ImportCancellation,
        _ progress: @escaping @Sendable (ImageProgress) -> Void
    ) async -> ImagePulls.Outcome {
        let task = Task { () async -> ImagePulls.Outcome in
            do throws(ImageError) {
                let route = try await route(to: image, given)
                let client = RegistryClient(route, registries)
                let pull = ImagePull(
                    image: image, client: client, content: content, layers: layers, limits: limits,
                    cancellation: cancellation, progress: progress)
                let fetched: Result<ImportedImage, ImportFailure>
                do throws(ImportFailure) {
                    fetched = .success(try await pull.run())
                } catch {
                    fetched = .failure(error)
                }
                await client.close()
                return .success(try await take(fetched, image))
            } catch {
                return .failure(error)
            }
        }
        cancellation.whenCancelled { task.cancel() }
        return await task.value
    }

    private func route(
        to image: ImageReference, _ given: RegistryCredentials?
    ) async throws(ImageError) -> RegistryRoute {
        let registries = registries
        let route = try await run(on: light, about: image.description) { () throws(ImportFailure) in
            try RegistryRoute(to: image, given: given, registries)
        }
        for warning in route.warnings {
            logger.warning("Part of a registry's configuration is not understood", metadata: ["what": "\(warning)"])
        }
        return route
    }

    private func take(
        _ fetched: Result<ImportedImage, ImportFailure>, _ image: ImageReference
    ) async throws(ImageError) -> ImageRecord {
        let imported: ImportedImage
        do throws(ImportFailure) {
            imported = try fetched.get()
        } catch {
            throw error.imageError(tarball: image.description)
        }
        let catalog = catalog
        let records = try await run(on: changes, about: image.description) { () throws(ImportFailure) in
            try catalog.add([imported], pinned: false)
        }
        syncInBackground()
        guard let record = records.first else { throw .notFound(reference: image.description) }
        return record
    }
}
