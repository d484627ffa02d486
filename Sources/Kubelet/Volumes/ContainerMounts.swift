import CRI
import KubeTypes
import Linux
import SwiftProtobuf

/// A container's mounts: its volumes, the hosts file and the termination message file.
struct ContainerMounts {
    let pod: Pod
    let container: Container
    let paths: PodPaths
    let environment: [(name: String, value: String)]

    /// Makes what has to be made on the host and describes it for the runtime.
    func prepare(hasHosts: Bool) throws -> [CRIMount] {
        var mounts: [CRIMount] = []
        for (index, mount) in container.volumeMounts.enumerated() { mounts.append(try prepare(mount, index)) }
        let taken = Set(mounts.map { $0.containerPath.trimmed("/") })
        if hasHosts, !taken.contains("/etc/hosts"), File.exists(paths.hosts) {
            mounts.append(
                CRIMount.with {
                    $0.containerPath = "/etc/hosts"
                    $0.hostPath = paths.hosts
                })
        }
        let message = container.terminationMessagePath
        if !message.isEmpty, !taken.contains(message.trimmed("/")) {
            let path = try TerminationMessage.prepare(container, paths: paths)
            mounts.append(
                CRIMount.with {
                    $0.containerPath = message
                    $0.hostPath = path
                })
        }
        return mounts
    }

    private func prepare(_ mount: VolumeMount, _ index: Int) throws -> CRIMount {
        guard let volume = pod.spec.volumes.first(where: { $0.name == mount.name }),
            let location = PodVolumes(paths: paths).location(volume)
        else { throw VolumeError("volumeMount \(mount.mountPath): no volume \"\(mount.name)\" in the pod") }
        var source = location
        let subPath = try subPath(mount)
        if !subPath.isEmpty {
            source = paths.subPath(volume.name, container: container.name, index: index)
            try SubPath.bind(subPath, of: location, at: source)
        }
        return CRIMount.with {
            $0.containerPath = mount.mountPath.hasPrefix("/") ? mount.mountPath : "/" + mount.mountPath
            $0.hostPath = source
            $0.readonly = mount.readOnly
            $0.recursiveReadOnly = mount.readOnly && mount.recursiveReadOnly == "Enabled"
            switch mount.mountPropagation {
            case .hostToContainer?: $0.propagation = .propagationHostToContainer
            case .bidirectional?: $0.propagation = .propagationBidirectional
            default: $0.propagation = .propagationPrivate
            }
        }
    }

    private func subPath(_ mount: VolumeMount) throws -> String {
        guard !mount.subPathExpr.isEmpty else { return mount.subPath }
        let values = Dictionary(environment.map { ($0.name, $0.value) }) { $1 }
        var missing: [String] = []
        let path = Environment.expand(mount.subPathExpr) { name in
            if values[name] == nil { missing.append(name) }
            return values[name]
        }
        guard missing.isEmpty else {
            throw VolumeError("subPathExpr \"\(mount.subPathExpr)\": no variable \(missing.joined(separator: ", "))")
        }
        guard !path.hasPrefix("/"), !path.split(separator: "/").contains("..") else {
            throw VolumeError("subPathExpr \"\(mount.subPathExpr)\" becomes \"\(path)\", which leads out of its volume")
        }
        return path
    }
}
