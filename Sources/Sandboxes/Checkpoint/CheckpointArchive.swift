import CLinux
import CRI
import Glibc
import JSON
import Linux

/// A checkpoint as one file, laid out as the kubelet's other runtimes do it, so that `checkpointctl` can read it:
/// `config.dump`, `spec.dump`, `status.dump`, criu's images in `checkpoint/`, what the container wrote in
/// `rootfs-diff.tar`, and its log.
struct CheckpointArchive: Sendable {
    /// What `config.dump` says.
    var id: String
    var name: String
    var image: String
    var imageRef: String
    var runtime: String
    var createdAtNanoseconds: Int64
    var status: CRIContainerStatus
    var bundle: String
    var logPath: String
    /// Where criu's images and its log lie, and the container's own layer.
    var images: String
    var work: String
    var upper: String

    private static let largestLogBytes: UInt64 = 1 << 30

    /// Writes the archive to `location`, which appears whole or not at all. Blocking.
    func write(to location: String) throws {
        let temporary = location + ".part"
        try File.remove(temporary)
        do {
            let file = try File.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
            try write(TarWriter(file))
            try File.rename(temporary, location)
        } catch {
            try? File.remove(temporary)  // The first error is the one to report.
            throw error
        }
    }

    private func write(_ writer: consuming TarWriter) throws {
        try writer.add("config.dump", configDump.encoded(pretty: false))
        try writer.add("spec.dump", try File.read(bundle + "/config.json", limit: 16 << 20))
        try writer.add("status.dump", try CRIDocument.value(status).encoded(pretty: false))
        try writer.add(TarWriter.Entry(name: "checkpoint/", kind: .directory, mode: 0o700))
        for name in try Directory.names(images).sorted() {
            try add("checkpoint/\(name)", "\(images)/\(name)", to: writer)
        }
        for name in ["dump.log", "stats-dump"] { try add(name, "\(work)/\(name)", to: writer) }
        let layer = work + "/rootfs-diff.tar"
        try LayerArchive.write(
            upper: upper, to: File.open(layer, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600))
        try add("rootfs-diff.tar", layer, to: writer)
        if !logPath.isEmpty { try add("container.log", logPath, to: writer) }
        try writer.finish()
    }

    /// Adds a regular file; one that isn't there, or is none, is left out.
    private func add(_ name: String, _ path: String, to writer: borrowing TarWriter) throws {
        guard let file = try? File.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK) else { return }
        let status = try file.status()
        guard status.isRegular, name != "container.log" || status.size <= Self.largestLogBytes else { return }
        try writer.add(
            TarWriter.Entry(
                name: name, kind: .file(size: status.size), mode: 0o600, modifiedSeconds: status.raw.mtime_seconds),
            contents: file)
    }

    private var configDump: JSONValue {
        [
            "id": .string(id), "name": .string(name), "rootfsImage": .string(image),
            "rootfsImageRef": .string(imageRef), "rootfsImageName": .string(image), "runtime": .string(runtime),
            "createdTime": .string(Self.time(createdAtNanoseconds)),
            "checkpointedTime": .string(Self.time(wallClockNanoseconds())),
            "restoredTime": "0001-01-01T00:00:00Z", "restored": false,
        ]
    }

    /// RFC 3339, in UTC.
    static func time(_ nanoseconds: Int64) -> String {
        var seconds = time_t(nanoseconds / 1_000_000_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
        }
        let date =
            "\(padded(Int(parts.tm_year) + 1900, 4))-\(padded(Int(parts.tm_mon) + 1, 2))-\(padded(Int(parts.tm_mday), 2))"
        let clock = "\(padded(Int(parts.tm_hour), 2)):\(padded(Int(parts.tm_min), 2)):\(padded(Int(parts.tm_sec), 2))"
        return "\(date)T\(clock).\(padded(Int(nanoseconds % 1_000_000_000), 9))Z"
    }
}
