import FoundationEssentials
import GRDB
import Logging

/// Reads the records at the start, and puts aside the ones that can't be read.
struct RecordReader: Sendable {
    let database: DatabaseQueue
    let file: StateFile

    /// How many unreadable records are kept, for whoever wants to look.
    private static let mostUnreadable = 256

    func readAll(logger: Logger) throws -> RecordContents {
        var contents = RecordContents()
        var unreadable: [Unreadable] = []
        do {
            let (sandboxes, containers) = try database.read { database in
                (try Self.rows(database, "sandbox"), try Self.rows(database, "container"))
            }
            for row in sandboxes {
                do throws(RecordError) {
                    contents.sandboxes.append(try SandboxRecord(row))
                } catch {
                    unreadable.append(Unreadable(kind: "sandbox", id: row.id, reason: error.description))
                    if let id = SandboxID(row.id) { contents.lostSandboxes.append(id) }
                }
            }
            for row in containers {
                do throws(RecordError) {
                    contents.containers.append(try ContainerRecord(row))
                } catch {
                    unreadable.append(Unreadable(kind: "container", id: row.id, reason: error.description))
                    if let id = ContainerID(row.id) { contents.lostContainers.append(id) }
                }
            }
        } catch {
            throw file.failure("read", error)
        }
        if !unreadable.isEmpty { putAside(unreadable, logger) }
        contents.unreadable = unreadable
        return contents
    }

    private static func rows(_ database: Database, _ table: String) throws -> [RecordRow] {
        try Row.fetchAll(database, sql: "SELECT id, record, config FROM \(table) ORDER BY id").map { row in
            // Whatever the columns hold: a damaged file is no reason to end the node.
            let (id, record, config): (DatabaseValue, DatabaseValue, DatabaseValue) = (
                row["id"], row["record"], row["config"]
            )
            return RecordRow(
                id: String.fromDatabaseValue(id) ?? "", record: String.fromDatabaseValue(record) ?? "",
                config: Data.fromDatabaseValue(config).map { [UInt8]($0) } ?? [])
        }
    }

    private func putAside(_ unreadable: [Unreadable], _ logger: Logger) {
        var kept = "table unreadable"
        do {
            try database.write { database in
                for record in unreadable {
                    try database.execute(
                        sql: """
                            INSERT INTO unreadable (kind, id, reason, foundAt, record, config)
                            SELECT ?, id, ?, ?, record, config FROM \(record.kind) WHERE id = ?
                            """,
                        arguments: [
                            record.kind, record.reason, wallClockNanoseconds() / 1_000_000_000, record.id,
                        ])
                    try database.execute(sql: "DELETE FROM \(record.kind) WHERE id = ?", arguments: [record.id])
                }
                try database.execute(
                    sql: """
                        DELETE FROM unreadable WHERE rowid NOT IN
                            (SELECT rowid FROM unreadable ORDER BY rowid DESC LIMIT ?)
                        """,
                    arguments: [Self.mostUnreadable])
            }
        } catch {
            // On a full disk, say: the next start tries again.
            kept = "not kept: \(file.failure("write", error))"
        }
        for record in unreadable {
            logger.error(
                """
                a record can't be read: its pod is cleared away and starts anew from its manifest; nothing is left to \
                mend, the record was put aside for whoever wants to look
                """,
                metadata: [
                    "path": "\(file.path)", "kind": "\(record.kind)", "id": "\(record.id)",
                    "reason": "\(record.reason)", "aside": "\(kept)",
                ])
        }
    }
}
