import CRI
import Linux
import OCISpec

/// What a container's config names on the host, looked at.
struct HostSide: Sendable {
    var mounts: [PreparedMount] = []
    var devices: [PreparedDevice] = []
    var seccompFile: (path: String, bytes: [UInt8])?
    var cdi: [CDIEdits] = []

    /// What the look depends on besides the config.
    struct Rules: Sendable {
        var features: RuntimeFeatures
        var seccompProfileRoot: String?
        var cdiDirectories: [String]
        var labels: SELinuxLabels?
    }

    /// Looks, makes host paths that are missing, and gives the volumes that ask for it their SELinux label. Blocking.
    ///
    /// - Parameter place: told which path is being looked at
    static func look(
        _ config: CRIContainerConfig, _ rules: Rules, at place: Whereabouts = Whereabouts()
    ) throws(CRIError) -> HostSide {
        let security = config.linux.securityContext
        let wish = try SeccompProfile.wish(
            profile: security.hasSeccomp ? security.seccomp : nil, legacyPath: security.seccompProfilePath)
        var side = HostSide()
        if case .localhost(let path) = wish, !security.privileged {
            side.seccompFile = (path, try SeccompProfile.read(path, below: rules.seccompProfileRoot))
        }
        side.mounts = try MountSources.prepare(config.mounts, features: rules.features, at: place)
        place.path = config.devices.first?.hostPath ?? "/dev"
        side.devices =
            try (security.privileged ? DeviceNodes.host() : []) + DeviceNodes.prepare(config.devices)
        let names = try CDIRegistry.names(config)
        if !names.isEmpty {
            place.path = rules.cdiDirectories.joined(separator: ", ")
            side.cdi = try CDIRegistry(directories: rules.cdiDirectories).edits(for: names)
            for index in side.cdi.indices { try side.cdi[index].lookAtHost() }
        }
        if let labels = rules.labels {
            for mount in config.mounts where mount.selinuxRelabel && !ImageVolumes.isOne(mount) {
                place.path = mount.hostPath
                try SELinuxRelabel.apply(labels.mount, to: mount.hostPath)
            }
        }
        return side
    }
}
