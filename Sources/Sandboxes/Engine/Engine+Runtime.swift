import CRI
import JSON
import PodNetwork
import SwiftProtobuf

extension Engine: RuntimeService, ImageService {
    public func version(_ request: CRIVersionRequest) async throws(CRIError) -> CRIVersionResponse {
        CRIVersionResponse.with {
            $0.version = "0.1.0"
            $0.runtimeName = "kubesim"
            $0.runtimeVersion = configuration.version
            $0.runtimeApiVersion = "v1"
        }
    }

    public func status(_ request: CRIStatusRequest) async throws(CRIError) -> CRIStatusResponse {
        let network = await network.status()
        var response = CRIStatusResponse()
        response.status.conditions = [
            CRIRuntimeCondition.with {
                $0.type = "RuntimeReady"
                $0.status = !closed
                $0.reason = closed ? "ShuttingDown" : ""
                $0.message = closed ? "the engine is shutting down" : ""
            },
            CRIRuntimeCondition.with {
                $0.type = "NetworkReady"
                $0.status = network.ready
                $0.reason = network.reason
                $0.message = network.message
            },
        ]
        response.runtimeHandlers = handlerNames.map { name in
            let features = features(of: name)
            return CRIRuntimeHandler.with {
                $0.name = name
                $0.features.recursiveReadOnlyMounts = features.recursiveReadOnlyMounts
                $0.features.userNamespaces = features.userNamespaces
            }
        }
        response.features.supplementalGroupsPolicy = true
        // A pod on the host's network gets the host's /sys read-only, where its own could not be mounted.
        response.features.userNamespacesHostNetwork = true
        if request.verbose {
            let config: JSONValue = [
                "root": .string(configuration.root), "state": .string(configuration.state),
                // The names that containerd's document has for them.
                "rootDir": .string(configuration.root), "stateDir": .string(configuration.state),
                "runtime": .string(configuration.runtimePath), "runtimes": handlersDocument,
                "shim": .string(configuration.shimPath), "pause": .string(configuration.pausePath),
                "sandboxImage": .string(configuration.sandboxImage),
                "cgroupDriver": .string(configuration.cgroupDriver.rawValue),
                "systemdCgroup": .bool(configuration.cgroupDriver == .systemd),
                "cgroupRoot": .string(configuration.cgroupRoot),
                "cgroupMode": .string(facts.cgroupsV2 ? "v2" : "v1 or hybrid"),
                "netnsDirectory": .string(configuration.netnsDirectory),
                "network": .string(network.network), "networkFile": network.file.map(JSONValue.string) ?? .null,
                "podCIDR": .string(podCIDR), "appArmor": .bool(facts.appArmor), "selinux": .bool(facts.selinux),
                "seccompProfileRoot": configuration.seccompProfileRoot.map(JSONValue.string) ?? .null,
                "cdiSpecDirs": .array(configuration.cdiDirectories.map(JSONValue.string)),
                "checkpointDirectory": .string(configuration.checkpointDirectory),
                "execOutputLimitBytes": .int(Int64(configuration.execOutputLimitBytes)),
                "stepDeadlineSeconds": .int(configuration.stepDeadline.components.seconds),
                "sandboxes": .int(Int64(sandboxes.count)), "containers": .int(Int64(containers.count)),
            ]
            let load = network.ready ? "OK" : network.message
            response.info = [
                "config": Self.text(config), "cniconfig": Self.text(network.document),
                "lastCNILoadStatus": load, "lastCNILoadStatus.default": load,
                "lastRecovery": Self.text(recovery.json),
            ]
        }
        return response
    }

    /// The handlers with their runtimes and features, for people.
    private var handlersDocument: JSONValue {
        var document: JSONValue = [:]
        for name in handlerNames {
            // Each name is known, so that none is refused.
            guard let handler = try? handler(name, for: "status") else { continue }
            let features = features(of: name)
            document[name] = [
                "path": .string(handler.path),
                "podAnnotations": .array(handler.podAnnotations.map(JSONValue.string)),
                "containerAnnotations": .array(handler.containerAnnotations.map(JSONValue.string)),
                "recursiveReadOnlyMounts": .bool(features.recursiveReadOnlyMounts),
                "userNamespaces": .bool(features.userNamespaces),
            ]
        }
        return document
    }

    private static func text(_ value: JSONValue) -> String {
        String(decoding: value.encoded(pretty: false), as: UTF8.self)
    }

    public func runtimeConfig(_ request: CRIRuntimeConfigRequest) async throws(CRIError) -> CRIRuntimeConfigResponse {
        CRIRuntimeConfigResponse.with {
            $0.linux.cgroupDriver = configuration.cgroupDriver == .systemd ? .systemd : .cgroupfs
        }
    }

    /// Takes the pods' address ranges, one or one of each family, which the default network gives out from then on; a network
    /// that an administrator wrote has its own.
    public func updateRuntimeConfig(
        _ request: CRIUpdateRuntimeConfigRequest
    ) async throws(CRIError) -> CRIUpdateRuntimeConfigResponse {
        let ranges = request.runtimeConfig.networkConfig.podCidr
        do throws(NetworkError) {
            try await network.use(podCIDR: ranges)
        } catch {
            throw CRIError(.invalidArgument, "pod_cidr: \(error.reason)")
        }
        podCIDR = ranges
        return CRIUpdateRuntimeConfigResponse()
    }
}
