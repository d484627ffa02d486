import CRI
import Glibc
import KubeTypes
import Linux

/// What a container left to say when it ended.
enum TerminationMessage {
    /// Bytes of the message file, from its end (upstream's MaxContainerTerminationMessageLength).
    static let limitBytes = 4096
    /// Lines and bytes of the log that stand in for it.
    static let logLines = 80
    static let logLimitBytes = 2048

    /// Makes the file that a container finds at its `terminationMessagePath`, below a directory that is ours alone.
    static func prepare(_ container: Container, paths: PodPaths) throws -> String {
        let directory = paths.container(container.name)
        try Directory.make(directory, mode: 0o750)
        let path = "\(directory)/\(UInt32.random(in: 0...UInt32.max).hexadecimal)"
        try AtomicFile.write(path, [], mode: 0o666)
        return path
    }

    /// Reads it back. Only a file below the pod's own directory is read, whatever the runtime says.
    static func read(_ status: CRIContainerStatus, _ fact: ContainerFact, paths: PodPaths) -> String? {
        let wanted = status.annotations[KubeletLabels.terminationMessagePath] ?? ""
        if !wanted.isEmpty, let mount = status.mounts.first(where: { $0.containerPath == wanted }),
            mount.hostPath.hasPrefix(paths.directory + "/containers/"), !mount.hostPath.contains("/../"),
            // A container may have put anything in its place: no link is followed, nothing blocks.
            let file = try? File.open(mount.hostPath, O_RDONLY | O_NOFOLLOW | O_NONBLOCK),
            let text = tail(file, limitBytes), !text.isEmpty
        {
            return text
        }
        let fallsBack =
            status.annotations[KubeletLabels.terminationMessagePolicy]
            == TerminationMessagePolicy.fallbackToLogsOnError.rawValue
        guard fallsBack, fact.exitCode != 0, status.logPath.hasPrefix(paths.logs + "/"),
            let file = try? PodLogs(paths: paths).open(
                String(status.logPath.dropFirst(paths.logs.utf8.count)), O_RDONLY | O_NONBLOCK),
            let log = tail(file, 256 << 10)
        else { return nil }
        return lastLines(log)
    }

    /// The ends of a log in the CRI's format (`time stream tag text`), without their prefixes.
    static func lastLines(_ log: String) -> String {
        var text = ""
        for line in log.split(separator: "\n").suffix(logLines) {
            let fields = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
            guard fields.count == 4 else { continue }
            text += fields[3] + (fields[2].hasPrefix("P") ? "" : "\n")
        }
        return String(decoding: Array(text.utf8).suffix(logLimitBytes), as: UTF8.self)
    }

    /// The last bytes of a regular file; nil when it can't be had.
    private static func tail(_ file: borrowing Descriptor, _ limit: Int) -> String? {
        guard let status = try? file.status(), status.isRegular else { return nil }
        let start = max(0, Int(clamping: status.size) - limit)
        guard lseek(file.raw, start, SEEK_SET) >= 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: limit)
        var filled = 0
        while filled < limit {
            let count = bytes.withUnsafeMutableBytes { buffer -> Int in
                let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                return (try? file.read(into: rest)) ?? 0  // what was read so far is the message
            }
            guard count > 0 else { break }
            filled += count
        }
        return String(decoding: bytes[..<filled], as: UTF8.self)
    }
}
