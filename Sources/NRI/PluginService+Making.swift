public import CRI
import OCISpec
public import Sandboxes
import SwiftProtobuf
import TTRPC

extension PluginService {
    public func create(_ container: HookedContainer, in pod: HookedPod) async throws(CRIError) -> SpecChange {
        guard var spec = container.spec, !plugins.isEmpty else {
            return SpecChange(spec: container.spec ?? Spec())
        }
        let (view, before) = (NRIPodSandbox(pod), NRIContainer(container))
        var collected = Collected(before)
        var consulted: [Plugin] = []
        try await each("CreateContainer") { (plugin) throws(CallFailure) in
            let request = NRICreateContainerRequest.with {
                $0.pod = view
                $0.container = collected.container
            }
            let answer: NRICreateContainerResponse? = try await plugin.ask(
                .createContainer, "CreateContainer", request)
            consulted.append(plugin)
            guard let answer else { return }
            do throws(Conflict) {
                try collected.add(answer, by: plugin.name)
            } catch {
                throw CallFailure(.unknown, "\(error)")
            }
        }
        try await validate(collected, before, view, consulted)
        do throws(Conflict) {
            try spec.apply(collected.adjustment)
        } catch {
            throw CRIError(.unknown, "NRI plugins: \(error)")
        }
        return SpecChange(
            spec: spec, cdiDevices: collected.adjustment.cdiDevices.map(\.name),
            updates: PluginService.updates(collected.updates), evictions: PluginService.evictions(collected.evictions))
    }

    /// Plugins that judge say whether what all have asked for may be.
    private func validate(
        _ collected: Collected, _ before: NRIContainer, _ pod: NRIPodSandbox, _ consulted: [Plugin]
    ) async throws(CRIError) {
        let request = NRIValidateContainerAdjustmentRequest.with {
            $0.pod = pod
            $0.container = before
            $0.adjust = collected.adjustment
            $0.update = collected.updates
            $0.owners = collected.owners.message
            $0.plugins = consulted.map { plugin in
                .with {
                    $0.index = String(plugin.name.prefix(2))
                    $0.name = String(plugin.name.dropFirst(3))
                }
            }
        }
        try await each("ValidateContainerAdjustment") { (plugin) throws(CallFailure) in
            let answer: NRIValidateContainerAdjustmentResponse? = try await plugin.ask(
                .validateContainerAdjustment, "ValidateContainerAdjustment", request)
            if let answer, answer.reject {
                throw CallFailure(.unknown, "it rejects what plugins asked for: \(answer.reason)")
            }
        }
    }
}
