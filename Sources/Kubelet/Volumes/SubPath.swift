import Glibc
import Linux

/// A part of a volume, mounted where the volume's owner can't move it away under us.
///
/// The path is resolved once, below the volume's descriptor, and what was found is bound by descriptor
/// (CVE-2017-1002101, CVE-2021-25741): a symlink can't lead out, now or later.
enum SubPath {
    /// Binds `subPath` of `volume` at `target`, a name in a directory that only the kubelet writes; a missing sub path
    /// becomes a directory.
    static func bind(_ subPath: String, of volume: String, at target: String) throws {
        let root = try File.open(volume, OpenFlag.path | O_DIRECTORY)
        let found = try resolve(subPath, below: root, of: volume)
        try Mount.unmount(target, detach: true)
        guard let slash = target.lastIndex(of: "/") else {
            throw VolumeError("subPath target \(target) is not absolute")
        }
        try Directory.make(String(target[..<slash]), mode: 0o750)
        if try found.status().isDirectory {
            // Absent is as well.
            if let old = try? FileStatus(target), !old.isDirectory { try File.remove(target) }
            try Directory.make(target, mode: 0o750)
        } else {
            // Absent is as well.
            if let old = try? FileStatus(target), old.isDirectory { try Directory.removeEmpty(target) }
            try AtomicFile.write(target, [], mode: 0o640)
        }
        try Mount.bind("/proc/self/fd/\(found.raw)", on: target, recursive: true)
    }

    private static func resolve(
        _ subPath: String, below root: borrowing Descriptor, of volume: String
    ) throws -> Descriptor {
        do {
            return try open(subPath, below: root)
        } catch {
            guard error.errno == .noEntry else { throw refusal(subPath, volume, error) }
        }
        do {
            try makeDirectories(subPath, below: root)
            return try open(subPath, below: root)
        } catch {
            throw refusal(subPath, volume, error)
        }
    }

    /// Each directory that is made has the volume's own mode, its set-group-id bit too, whatever our umask: who may write
    /// in the volume may write there.
    private static func makeDirectories(_ subPath: String, below root: borrowing Descriptor) throws(SystemError) {
        let mode = mode_t(try root.status().permissions & 0o7777)
        var reached = ""
        for part in subPath.split(separator: "/") where part != "." {
            reached += reached.isEmpty ? String(part) : "/" + part
            do throws(SystemError) {
                _ = try open(reached, below: root)
            } catch {
                guard error.errno == .noEntry else { throw error }
                _ = try RootedPath.makeDirectory(reached, mode: UInt32(mode & 0o777), root: root.raw)
                let made = try RootedPath.open(
                    reached, O_RDONLY | O_DIRECTORY, root: root.raw, resolve: [.beneath, .noMagicLinks])
                try checkErrno(fchmod(made.raw, mode), "chmod", subPath)
            }
        }
    }

    private static func open(_ subPath: String, below root: borrowing Descriptor) throws(SystemError) -> Descriptor {
        try RootedPath.open(subPath, OpenFlag.path, root: root.raw, resolve: [.beneath, .noMagicLinks])
    }

    private static func refusal(_ subPath: String, _ volume: String, _ error: SystemError) -> VolumeError {
        switch error.errno {
        case .crossDevice: VolumeError("subPath \"\(subPath)\" leads out of its volume \(volume)")
        case .loop: VolumeError("subPath \"\(subPath)\" of \(volume) is a link that can't be followed safely")
        default: VolumeError("subPath \"\(subPath)\" of \(volume): \(error)")
        }
    }
}
