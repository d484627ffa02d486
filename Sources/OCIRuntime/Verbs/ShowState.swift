import Glibc
import JSON
import Linux
import OCISpec

/// `state`: the container's state as JSON, with runc's further members.
enum ShowState {
    static func run(_ id: ContainerID, root: String) throws(RuntimeError) {
        let record = try ContainerRecord.peek(id, root: root)
        Output.line(encode(record, root: root, indent: "  "))
    }

    static func status(_ record: ContainerRecord, root: String) -> ContainerRecord.Status {
        record.status(
            isWaitingForStart: File.exists("\(root)/\(record.id)/start"), isPaused: { FreezerState.isFrozen(record) })
    }

    static func encode(_ record: ContainerRecord, root: String, indent: String?) -> [UInt8] {
        let status = status(record, root: root)
        var writer = JSONWriter(indent: indent)
        write(record, status, to: &writer)
        return writer.bytes
    }

    static func write(_ record: ContainerRecord, _ status: ContainerRecord.Status, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.required("ociVersion", record.ociVersion)
            writer.required("id", record.id)
            writer.required("pid", status == .stopped ? 0 : record.pid)
            writer.required("status", status.rawValue)
            writer.required("bundle", record.bundle)
            writer.required("rootfs", record.rootfs)
            writer.required("created", record.created)
            writer.member("annotations", record.annotations)
            writer.required("owner", "")
        }
    }
}
