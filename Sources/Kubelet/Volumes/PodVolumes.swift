import CLinux
import Glibc
import KubeTypes
import Linux

/// Makes a pod's volumes and takes them away. Every step is idempotent: what is there already is left as it is.
struct PodVolumes: Sendable {
    let paths: PodPaths

    /// Makes all volumes of the pod.
    func setUp(_ pod: Pod) throws {
        for volume in pod.spec.volumes {
            do {
                try setUp(volume, pod)
            } catch let error as SystemError {
                throw VolumeError("volume \"\(volume.name)\": \(error)")
            }
        }
    }

    private func setUp(_ volume: Volume, _ pod: Pod) throws {
        if let empty = volume.emptyDir {
            try setUpEmptyDir(volume.name, empty, fsGroup: pod.spec.securityContext?.fsGroup)
        } else if let host = volume.hostPath {
            try HostPath.check(host, volume: volume.name)
        } else if volume.configMap?.optional == true || volume.secret?.optional == true {
            try Directory.make(optionalEmpty(volume.name), mode: 0o755)
        } else {
            let kind =
                volume.configMap.map { "configMap \"\($0.name)\"" }
                ?? volume.secret.map { "secret \"\($0.secretName)\"" }
            let what = kind.map { "\($0) not found: there is no API server to ask" } ?? "its source is not done yet"
            throw VolumeError("volume \"\(volume.name)\": \(what)")
        }
    }

    private func optionalEmpty(_ name: String) -> String { "\(paths.volumes)/kubernetes.io~optional/\(name)" }

    /// Where the volume's content is on the host.
    func location(_ volume: Volume) -> String? {
        if volume.emptyDir != nil { return paths.emptyDir(volume.name) }
        if let host = volume.hostPath { return host.path }
        if volume.configMap?.optional == true || volume.secret?.optional == true { return optionalEmpty(volume.name) }
        return nil
    }

    private func setUpEmptyDir(_ name: String, _ source: EmptyDirVolumeSource, fsGroup: Int64?) throws {
        let path = paths.emptyDir(name)
        let isNew = !File.exists(path)
        try Directory.make(path, mode: 0o755)
        switch source.medium {
        case .unset: break
        case .memory:
            if try Self.isMountPoint(path, in: "\(paths.volumes)/kubernetes.io~empty-dir") { return }
            let size = source.sizeLimit.map { "size=\(max($0.value, 4096))" }
            try Mount.mount(
                source: "tmpfs", target: path, type: "tmpfs", flags: [.noSetID, .noDevices],
                data: [size, "mode=0777"].compactMap { $0 }.joined(separator: ","))
        default:
            throw VolumeError("volume \"\(name)\": emptyDir medium \(source.medium.rawValue) is not done yet")
        }
        guard isNew || source.medium == .memory else { return }
        var mode: mode_t = 0o777
        if let fsGroup {
            guard chown(path, uid_t.max, gid_t(truncatingIfNeeded: fsGroup)) == 0 else {
                throw SystemError("chown", path: path, errno: .current)
            }
            mode |= S_ISGID
        }
        guard chmod(path, mode) == 0 else { throw SystemError("chmod", path: path, errno: .current) }
    }

    /// Takes away everything below the pod's directory, and its mounts first. What is mounted there by anybody else is
    /// never entered: then the directory stays and the error names it.
    func tearDown() throws {
        guard File.exists(paths.directory) else { return }
        try unmountAll(below: "\(paths.volumes)/kubernetes.io~empty-dir", depth: 1)
        try unmountAll(below: paths.subPaths, depth: 3)
        try Directory.removeTree(paths.directory)
    }

    /// Looks where we mount instead of into the mount table, whose reading may miss an entry while others come and go.
    private func unmountAll(below directory: String, depth: Int) throws {
        guard File.exists(directory) else { return }
        for name in try Directory.names(directory) {
            let path = "\(directory)/\(name)"
            if depth > 1 {
                if try FileStatus(path, followLinks: false).isDirectory {
                    try unmountAll(below: path, depth: depth - 1)
                }
            } else {
                // Bounded: nobody but us mounts here, and we mount once.
                for _ in 0..<8 where try Self.isMountPoint(path, in: directory) {
                    try Mount.unmount(path, detach: true)
                }
            }
        }
    }

    /// Is something mounted on it? By statx(2)'s mount ids, so that bind mounts of the same filesystem count too.
    static func isMountPoint(_ path: String, in parent: String) throws(SystemError) -> Bool {
        try FileStatus(path, followLinks: false).raw.mount_id != FileStatus(parent).raw.mount_id
    }
}

/// A path of the host that a volume names.
enum HostPath {
    /// Checks its type, or makes it where the type says so (upstream's hostPath types).
    static func check(_ source: HostPathVolumeSource, volume: String) throws {
        let type = source.type ?? .unset
        if type == .unset { return }
        var status: FileStatus?
        do {
            status = try FileStatus(source.path)
        } catch {
            guard error.errno == .noEntry || error.errno == .notDirectory else { throw error }
        }
        if status == nil, type == .directoryOrCreate {
            return try Directory.make(source.path, mode: 0o755)
        }
        if status == nil, type == .fileOrCreate {
            let made = open(source.path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0o644)
            guard made >= 0 else { throw SystemError("create", path: source.path, errno: .current) }
            close(made)
            return
        }
        let fits: Bool
        switch type {
        case .directory, .directoryOrCreate: fits = status?.isDirectory == true
        case .file, .fileOrCreate: fits = status?.isRegular == true
        case .socket: fits = status?.isSocket == true
        case .charDevice: fits = status?.isCharacterDevice == true
        case .blockDevice: fits = status?.isBlockDevice == true
        default: throw VolumeError("volume \"\(volume)\": hostPath type \(type.rawValue) is unknown")
        }
        if !fits {
            throw VolumeError(
                "volume \"\(volume)\": hostPath type check failed: \(source.path) is not a \(type.rawValue)")
        }
    }
}
