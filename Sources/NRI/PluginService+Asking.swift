import CRI
import Logging
import Sandboxes
import SwiftProtobuf
import TTRPC

extension PluginService {
    /// Asks every plugin in order, and lets go of those that are of no more use.
    ///
    /// - Throws: what a plugin says against it.
    func each(
        _ what: String, _ ask: (Plugin) async throws(CallFailure) -> Void
    ) async throws(CRIError) {
        for plugin in plugins {
            do throws(CallFailure) {
                try await ask(plugin)
            } catch {
                if error.isFatal {
                    await drop(plugin, "\(what): \(error)")
                } else {
                    throw CRIError(.unknown, "NRI plugin \(plugin.name): \(what): \(error)")
                }
            }
        }
    }

    /// The same where nobody can be stopped any more: what a plugin says against it is logged.
    func tell(
        _ what: String, _ pod: NRIPodSandbox, _ container: NRIContainer?,
        _ tell: (Plugin) async throws(CallFailure) -> Void
    ) async {
        for plugin in plugins {
            do throws(CallFailure) {
                try await tell(plugin)
            } catch {
                if error.isFatal {
                    await drop(plugin, "\(what): \(error)")
                } else {
                    logger.warning(
                        "an NRI plugin failed",
                        metadata: [
                            "plugin": "\(plugin.name)", "call": "\(what)", "pod": "\(pod.namespace)/\(pod.name)",
                            "container": "\(container?.name ?? "")", "reason": "\(error)",
                        ])
                }
            }
        }
    }

    func change(_ event: NRIEvent, _ pod: NRIPodSandbox, _ container: NRIContainer?) -> NRIStateChangeEvent {
        .with {
            $0.event = event
            $0.pod = pod
            if let container { $0.container = container }
        }
    }

    static func updates(_ updates: [NRIContainerUpdate]) -> [ResourceUpdate] {
        updates.map {
            ResourceUpdate(
                container: $0.containerID, resources: $0.linux.resources.spec, mayFail: $0.ignoreFailure)
        }
    }

    static func evictions(_ evictions: [NRIContainerEviction]) -> [Eviction] {
        evictions.map { Eviction(container: $0.containerID, reason: $0.reason) }
    }
}
