import Glibc
import JSON
import Linux

/// `list`: every container below `--root`.
enum List {
    enum Format { case table, json, quiet }

    static func run(root: String, _ format: Format, log: Log) throws(RuntimeError) {
        let containers = try find(root, log).sorted { $0.0.id < $1.0.id }
        switch format {
        case .quiet:
            Output.text(containers.map { $0.0.id + "\n" }.joined())
        case .json:
            if containers.isEmpty { return Output.text("null") }
            var writer = JSONWriter()
            writer.array { writer in
                for (record, status) in containers { ShowState.write(record, status, to: &writer) }
            }
            Output.text(String(decoding: writer.bytes, as: UTF8.self))
        case .table:
            var rows = [["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]]
            for (record, status) in containers {
                rows.append([
                    record.id, status == .stopped ? "0" : String(record.pid), status.rawValue, record.bundle,
                    record.created,
                    Users.name(of: record.ownerUID),
                ])
            }
            Output.table(rows)
        }
    }

    private static func find(_ root: String, _ log: Log) throws(RuntimeError) -> [(
        ContainerRecord, ContainerRecord.Status
    )] {
        let names: [String]
        do throws(SystemError) {
            names = try Directory.names(root)
        } catch {
            // The usual place is made by the first container; a place that was named should be there.
            if error.errno == .noEntry, root == GlobalOptions.standardRoot() { return [] }
            throw RuntimeError("list", error)
        }
        var found: [(ContainerRecord, ContainerRecord.Status)] = []
        for name in names {
            // What isn't an id is the cache or somebody else's.
            guard let id = try? ContainerID(name) else { continue }
            do throws(RuntimeError) {
                let record = try ContainerRecord.peek(id, root: root)
                found.append((record, ShowState.status(record, root: root)))
            } catch {
                // Being made or deleted at this moment.
                if !error.isNoContainer { log.error("load container \(name): \(error)") }
            }
        }
        return found
    }
}
