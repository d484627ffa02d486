import Glibc
import Linux

extension HostObservation {
    /// Looks at the disk that the data will lie on; as root it mounts an overlay there and takes it away again.
    mutating func observeData(_ root: String) {
        let directory = Self.nearest(root)
        dataRoot = directory
        dataFilesystem = Self.filesystem(of: directory)
        if let disk = try? FilesystemStatistics(directory) {  // unreadable: no space is found, which is said
            availableBytes = disk.availableBytes
            totalBytes = disk.totalBytes
            freeInodes = disk.totalInodes > 0 ? disk.freeInodes : nil
        }
        if geteuid() == 0 { overlay = OverlayProbe.run(in: directory) }
    }

    /// The directory itself, or the nearest one above it that is there.
    private static func nearest(_ path: String) -> String {
        var path = path
        while path != "/", !File.exists(path) { path = NodePlaces.absolute("..", from: path) }
        return path
    }

    private static func filesystem(of path: String) -> String {
        guard let mounts = try? MountInfo.all() else { return "?" }  // only for the message
        let around = mounts.filter { mount in
            mount.mountPoint == "/" || path == mount.mountPoint || path.hasPrefix(mount.mountPoint + "/")
        }
        // Of several mounts on one place the last is seen.
        var best: MountInfo?
        for mount in around where mount.mountPoint.utf8.count >= best?.mountPoint.utf8.count ?? 0 { best = mount }
        return best?.type ?? "?"
    }
}

/// Proves that overlayfs works on a disk by using it: mounts one, writes through it, and removes a file of the lower
/// layer, which must leave a whiteout.
enum OverlayProbe {
    static func run(in directory: String) -> HostObservation.Outcome {
        let base = "\(directory)/.kubesim-check-\(getpid())"
        let parts = ["lower", "upper", "work", "merged"].map { "\(base)/\($0)" }
        let merged = parts[3]
        let outcome = HostObservation.outcome { () throws(SystemError) in
            for part in parts { try Directory.make(part, mode: 0o700) }
            try AtomicFile.write("\(parts[0])/lower", Array("lower".utf8), mode: 0o600)
            try Mount.mount(
                source: "overlay", target: merged, type: "overlay",
                data: "lowerdir=\(parts[0]),upperdir=\(parts[1]),workdir=\(parts[2])")
            try use(merged, upper: parts[1])
        }
        // What fails here would be said by the next run's mkdir; the finding is what matters.
        try? Mount.unmount(merged, detach: true)
        try? Directory.removeTree(base)
        return outcome
    }

    private static func use(_ merged: String, upper: String) throws(SystemError) {
        try AtomicFile.write("\(merged)/upper", Array("upper".utf8), mode: 0o600)
        guard File.exists("\(upper)/upper") else {
            throw SystemError("write through the overlay to", path: upper, errno: .noEntry)
        }
        try File.remove("\(merged)/lower")
        let whiteout = try FileStatus("\(upper)/lower")
        guard whiteout.isCharacterDevice else {
            throw SystemError("make a whiteout in", path: upper, errno: .notSupported)
        }
    }
}
