import Glibc
import JSON
import Linux
import OCISpec

/// What is kept of a container in `state.json`.
struct ContainerRecord: Sendable, Hashable {
    /// Of this layout; another number is refused.
    static let layout = 1

    var ociVersion: String
    var id: String
    /// The init's process id in the host's namespace.
    var pid: Int32
    /// /proc/PID/stat's start time, which tells a recycled pid.
    var startTime: UInt64
    var bundle: String
    var rootfs: String
    /// RFC 3339.
    var created: String
    /// As the configuration named it, or what was chosen for it; empty when there is none.
    var cgroupsPath: String
    /// Whether systemd made the cgroup; then the path is its "slice:prefix:name".
    var systemd = false
    /// Whether the container has a session keyring of its own.
    var keyring = true
    var ownerUID: UInt32
    /// Whether `update` has made a resctrl group of the container's own.
    var ownsRdtGroup = false
    var annotations: [String: String]

    func write(in directory: StateDirectory) throws(RuntimeError) {
        var writer = JSONWriter()
        writer.object { writer in
            writer.required("layout", ContainerRecord.layout)
            writer.required("ociVersion", ociVersion)
            writer.required("id", id)
            writer.required("pid", pid)
            writer.required("startTime", startTime)
            writer.required("bundle", bundle)
            writer.required("rootfs", rootfs)
            writer.required("created", created)
            writer.required("cgroupsPath", cgroupsPath)
            writer.required("systemd", systemd)
            writer.required("keyring", keyring)
            writer.required("ownerUID", ownerUID)
            if ownsRdtGroup { writer.required("ownsRdtGroup", true) }
            if annotations.isEmpty {
                // The general way asks Swift's runtime for a dictionary's conformances first.
                writer.key("annotations")
                writer.object { _ in }
            } else {
                writer.required("annotations", annotations)
            }
        }
        do throws(SystemError) {
            try AtomicFile.write("state.json", writer.bytes, at: directory.descriptor.raw)
        } catch {
            throw RuntimeError("write \(directory.recordPath)", error)
        }
    }

    static func read(in directory: StateDirectory) throws(RuntimeError) -> ContainerRecord {
        let path = directory.recordPath
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try File.read("state.json", limit: 1 << 20, at: directory.descriptor.raw)
        } catch {
            throw RuntimeError("read \(path)", error)
        }
        return try parse(bytes, path: path)
    }

    /// Reads the record without the container's lock: the file is replaced whole, so it is never half written.
    static func peek(_ id: ContainerID, root: String) throws(RuntimeError) -> ContainerRecord {
        let folder = root + "/" + id.text
        let path = folder + "/state.json"
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try File.read(path, limit: 1 << 20)
        } catch {
            if error.errno == .noEntry { throw .noContainer(id, folder) }
            throw RuntimeError("state", error)
        }
        return try parse(bytes, path: path)
    }

    static func parse(_ bytes: [UInt8], path: String) throws(RuntimeError) -> ContainerRecord {
        var layout = 0
        var record = ContainerRecord(
            ociVersion: "", id: "", pid: 0, startTime: 0, bundle: "", rootfs: "", created: "", cgroupsPath: "",
            ownerUID: 0, annotations: [:])
        do throws(JSONError) {
            var reader = try JSONReader(bytes)
            try reader.readObject { (reader, key) throws(JSONError) in
                switch key {
                case "layout": layout = try reader.read()
                case "ociVersion": record.ociVersion = try reader.read()
                case "id": record.id = try reader.read()
                case "pid": record.pid = try reader.read()
                case "startTime": record.startTime = try reader.read()
                case "bundle": record.bundle = try reader.read()
                case "rootfs": record.rootfs = try reader.read()
                case "created": record.created = try reader.read()
                case "cgroupsPath": record.cgroupsPath = try reader.read()
                case "systemd": record.systemd = try reader.read()
                case "keyring": record.keyring = try reader.read()
                case "ownerUID": record.ownerUID = try reader.read()
                case "ownsRdtGroup": record.ownsRdtGroup = try reader.read()
                case "annotations": record.annotations = try reader.read()
                default: try reader.skipValue()
                }
            }
            try reader.finish()
        } catch {
            throw RuntimeError("\(path) is damaged: \(error); delete --force removes the container")
        }
        if layout != ContainerRecord.layout {
            throw RuntimeError("\(path) has layout \(layout); this kubesim-oci knows only \(ContainerRecord.layout)")
        }
        if record.pid <= 0 { throw RuntimeError("\(path) is damaged: pid \(record.pid)") }
        return record
    }
}

extension ContainerRecord {
    /// The states of the specification's runtime section, and runc's paused.
    enum Status: String { case created, running, paused, stopped }

    /// What the kernel says now.
    func status(isWaitingForStart: Bool, isPaused: () -> Bool = { false }) -> Status {
        guard isInitAlive else { return .stopped }
        if isPaused() { return .paused }
        return isWaitingForStart ? .created : .running
    }

    /// Whether the init that was recorded still runs: the pid alone proves nothing, its start time does.
    var isInitAlive: Bool {
        guard let stat = try? ProcessStat(pid: pid) else { return false }  // gone is the answer, not an error
        return stat.startTime == startTime && !stat.isZombie
    }

    /// The init, or nil when it has ended.
    func openInit() throws(RuntimeError) -> Pidfd? {
        guard isInitAlive else { return nil }
        do throws(SystemError) {
            return try Pidfd(pid: pid, startTime: startTime)
        } catch {
            if error.errno == .noProcess { return nil }
            throw RuntimeError("open the init of \(id)", error)
        }
    }

    /// - Parameter word: for the specification's states that a record never has ("creating").
    func state(_ status: Status, as word: String? = nil) -> State {
        State(
            ociVersion: ociVersion, id: id, status: word ?? status.rawValue, pid: status == .stopped ? 0 : Int(pid),
            bundle: bundle,
            annotations: annotations)
    }
}
