import CRI
import FoundationEssentials
import KubeTypes
import SwiftProtobuf

/// A container in the words of CreateContainer. Pure.
enum ContainerConfig {
    /// What has been made ready for the container.
    struct Parts: Sendable {
        var attempt: Int
        /// What the runtime knows the image by.
        var imageID: String
        var imageUser: ImageUser
        var environment: [(name: String, value: String)]
        var mounts: [CRIMount]
        /// Path below the sandbox's log directory.
        var logPath: String
        var nodeMemoryBytes: Int64
    }

    static func build(_ container: Container, of pod: Pod, _ parts: Parts) -> CRIContainerConfig {
        var config = CRIContainerConfig()
        config.metadata = CRIContainerMetadata.with {
            $0.name = container.name
            $0.attempt = UInt32(clamping: parts.attempt)
        }
        config.image = CRIImageSpec.with {
            $0.image = parts.imageID
            $0.userSpecifiedImage = container.image
        }
        let values = Dictionary(parts.environment.map { ($0.name, $0.value) }) { $1 }
        config.command = container.command.map { Environment.expand($0) { values[$0] } }
        config.args = container.args.map { Environment.expand($0) { values[$0] } }
        config.workingDir = container.workingDir
        config.envs = parts.environment.map { variable in
            CRIKeyValue.with {
                $0.key = variable.name
                $0.value = Data(variable.value.utf8)
            }
        }
        config.mounts = parts.mounts
        config.labels = labels(container, pod)
        config.annotations = annotations(container, pod, attempt: parts.attempt)
        config.logPath = parts.logPath
        config.stdin = container.stdin
        config.stdinOnce = container.stdinOnce
        config.tty = container.tty
        config.linux = CRILinuxContainerConfig.with {
            $0.resources = ContainerResources(container.resources).cri
            $0.resources.oomScoreAdj = ContainerResources.outOfMemoryScore(
                container, of: pod, nodeMemoryBytes: parts.nodeMemoryBytes)
            $0.securityContext = SecurityContexts.container(container, pod, image: parts.imageUser)
        }
        if let signal = container.lifecycle?.stopSignal { config.stopSignal = stopSignal(signal) }
        return config
    }

    private static func labels(_ container: Container, _ pod: Pod) -> [String: String] {
        [
            KubeletLabels.podName: pod.metadata.name, KubeletLabels.podNamespace: pod.metadata.namespace,
            KubeletLabels.podUID: pod.metadata.uid, KubeletLabels.containerName: container.name,
        ]
    }

    private static func annotations(_ container: Container, _ pod: Pod, attempt: Int) -> [String: String] {
        var annotations = [
            KubeletLabels.containerHash: container.definitionHash,
            KubeletLabels.restartCount: "\(attempt)",
            KubeletLabels.terminationMessagePath: container.terminationMessagePath,
            KubeletLabels.terminationMessagePolicy: container.terminationMessagePolicy.rawValue,
        ]
        if let grace = pod.spec.terminationGracePeriodSeconds { annotations[KubeletLabels.podGracePeriod] = "\(grace)" }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Encoding these plain values can't fail; if it does, the orphan merely stops without its hook.
        if let hook = container.lifecycle?.preStop, let bytes = try? encoder.encode(hook) {
            annotations[KubeletLabels.preStop] = String(decoding: bytes, as: UTF8.self)
        }
        if !container.ports.isEmpty, let bytes = try? encoder.encode(container.ports) {
            annotations[KubeletLabels.containerPorts] = String(decoding: bytes, as: UTF8.self)
        }
        return annotations
    }

    private static func stopSignal(_ name: String) -> CRISignal {
        CRISignal.allCases.first { "\($0)".lowercased() == name.lowercased() } ?? .runtimeDefault
    }
}
