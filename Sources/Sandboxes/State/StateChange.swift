import CRI
import GRDB
import SwiftProtobuf

/// One change of the state: an object that is as it says from now on, or is no more.
enum StateChange: Sendable {
    case sandbox(SandboxRecord)
    case container(ContainerRecord)
    case withoutSandbox(SandboxID)
    case withoutContainer(ContainerID)

    /// Whose it is: of two changes of one object only the later one counts.
    var id: String {
        switch self {
        case .sandbox(let record): record.id.text
        case .container(let record): record.id.text
        case .withoutSandbox(let id): id.text
        case .withoutContainer(let id): id.text
        }
    }

    /// The statement that makes it so. The record becomes bytes here, away from the engine's actor.
    func statement() throws -> StateStatement {
        switch self {
        case .sandbox(let record):
            StateStatement(
                sql: """
                    INSERT INTO sandbox (id, pod, stage, record, config) VALUES (?, ?, ?, ?, ?)
                    ON CONFLICT (id) DO UPDATE SET
                        pod = excluded.pod, stage = excluded.stage, record = excluded.record, config = excluded.config
                    """,
                arguments: [
                    record.id.text, "\(record.config.metadata.namespace)/\(record.config.metadata.name)",
                    record.stage.rawValue, record.document(), try record.config.serializedData(),
                ])
        case .container(let record):
            StateStatement(
                sql: """
                    INSERT INTO container (id, sandbox, name, stage, record, config) VALUES (?, ?, ?, ?, ?, ?)
                    ON CONFLICT (id) DO UPDATE SET
                        stage = excluded.stage, record = excluded.record, config = excluded.config
                    """,
                arguments: [
                    record.id.text, record.sandbox.text, record.config.metadata.name, record.stage.rawValue,
                    record.document(), try record.config.serializedData(),
                ])
        case .withoutSandbox(let id):
            StateStatement(sql: "DELETE FROM sandbox WHERE id = ?", arguments: [id.text])
        case .withoutContainer(let id):
            StateStatement(sql: "DELETE FROM container WHERE id = ?", arguments: [id.text])
        }
    }
}

/// A change as the database takes it.
struct StateStatement {
    var sql: String
    var arguments: StatementArguments

    func run(_ database: Database) throws {
        try database.cachedStatement(sql: sql).execute(arguments: arguments)
    }
}
