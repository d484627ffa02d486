import Synchronization

/// One image's way from its registry into the store, from its name to unpacked layers.
struct ImagePull: Sendable {
    let image: ImageReference
    let client: RegistryClient
    let content: ContentStore
    let layers: LayerStore
    let limits: ImageLimits
    let cancellation: ImportCancellation
    let progress: @Sendable (ImageProgress) -> Void

    /// Fetches what isn't there yet; no layer is visible before its digests are what was announced.
    ///
    /// - Throws: nothing of the image is left in the store then
    func run() async throws(ImportFailure) -> ImportedImage {
        let files = BlockingPool(name: "image-pull", threads: client.configuration.parallelLayers)
        let content = content
        let planner = PullPlanner(client: client, limits: limits, platform: .host) { digest in
            // What can't be read is fetched again.
            await files.run { try? content.get(digest) }
        }
        let plan = try await planner.plan(image)
        try cancellation.check()
        let held = try await unpack(plan, on: files)
        do throws(ImportFailure) {
            try cancellation.check()
        } catch {
            layers.release(held)
            throw error
        }
        return ImportedImage(
            id: plan.id, config: plan.config, names: [image], target: plan.target, documents: plan.documents,
            diffIDs: plan.layers.map(\.diffID), chainIDs: plan.layers.map(\.chainID))
    }

    /// Unpacks the layers, a few at a time, the lowest first.
    ///
    /// - Returns: the layers that are counted as used
    private func unpack(_ plan: PullPlan, on files: BlockingPool) async throws(ImportFailure) -> [Digest] {
        let gate = StackGate(layers: plan.layers.count)
        let meter = PullMeter(plan.layers, report: progress)
        let budget = UnpackBudget(limits, tarballBytes: plan.layers.reduce(0) { $0 + $1.size })
        let held = HeldLayers(plan.layers.count)
        let layers = layers
        cancellation.whenCancelled {
            gate.fail(.cancelled)
            layers.wake()
        }
        await withCheckedContinuation { continuation in
            held.whenAllEnded { continuation.resume() }
            for index in plan.layers.indices {
                files.post {
                    do throws(ImportFailure) {
                        try unpack(index, of: plan, gate, meter, budget)
                        held.end(plan.layers[index].chainID)
                        gate.done(index)
                    } catch {
                        gate.fail(error)
                        held.end(nil)
                    }
                }
            }
        }
        do throws(ImportFailure) {
            try gate.check()
        } catch {
            layers.release(held.chainIDs)
            throw error
        }
        return held.chainIDs
    }

    /// One layer, on a thread that may wait.
    private func unpack(
        _ index: Int, of plan: PullPlan, _ gate: StackGate, _ meter: PullMeter, _ budget: UnpackBudget
    ) throws(ImportFailure) {
        try gate.check()
        let layer = plan.layers[index]
        let trees = plan.layers[..<index].reversed().map { layers.tree($0.chainID) }
        let isNew = try layers.acquire(layer.chainID, diffID: layer.diffID, cancellation) {
            (directory) throws(ImportFailure) in
            let pipe = BlobPipe()
            gate.whenFailed { pipe.abandon($0) }
            let fetch = BlobFetch(client, digest: layer.blob, size: layer.size, into: pipe, progress: meter.read)
            let fetching = Task { await fetch.run() }
            do throws(ImportFailure) {
                let name = "layer \(layer.blob)"
                let reading = try LayerReading(
                    LayerReading.Announced(name: name, blob: layer.blob, diffID: layer.diffID), from: pipe, budget,
                    limits)
                let unpacked = try reading.unpack(into: directory)
                try reading.verify()
                // What this layer takes away or leaves out is decided by those below.
                try gate.wait(for: index)
                try unpacked.finish(onTrees: trees)
            } catch {
                fetching.cancel()
                pipe.abandon(error)
                throw error.inside("layer \(layer.blob)")
            }
        }
        meter.finishLayer(skipped: isNew ? 0 : layer.size)
    }
}

/// Which layers a pull has counted as used, and how many of its jobs have ended.
private final class HeldLayers: Sendable {
    private struct State {
        var left: Int
        var chainIDs: [Digest] = []
        var step: (@Sendable () -> Void)?
    }

    private let state: Mutex<State>

    init(_ count: Int) { state = Mutex(State(left: count)) }

    var chainIDs: [Digest] { state.withLock { $0.chainIDs } }

    func whenAllEnded(_ step: @escaping @Sendable () -> Void) {
        let isOver = state.withLock { state in
            if state.left > 0 { state.step = step }
            return state.left == 0
        }
        if isOver { step() }
    }

    /// - Parameter chainID: the layer that is counted; nil when it failed
    func end(_ chainID: Digest?) {
        let step = state.withLock { state -> (@Sendable () -> Void)? in
            state.left -= 1
            if let chainID { state.chainIDs.append(chainID) }
            return state.left == 0 ? state.step : nil
        }
        step?()
    }
}
