import GRDB

/// The tables of the state database, and the steps that bring an older file up to them.
enum StateSchema {
    /// A step is never changed once it was released: a file remembers by name which ones it has been through.
    static let migrator: DatabaseMigrator = {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 sandboxes and containers") { database in
            try database.execute(sql: tables)
        }
        return migrator
    }()

    /// `record` is JSON and `config` the CRI's message as protobuf; `pod`, `name` and `stage` repeat what the record has, for
    /// people who look: `sqlite3 state.db 'SELECT pod, stage FROM sandbox'` while the node is down.
    private static let tables = """
        CREATE TABLE sandbox (
            id TEXT NOT NULL PRIMARY KEY, pod TEXT NOT NULL, stage TEXT NOT NULL, record TEXT NOT NULL,
            config BLOB NOT NULL
        ) STRICT;
        CREATE TABLE container (
            id TEXT NOT NULL PRIMARY KEY, sandbox TEXT NOT NULL, name TEXT NOT NULL, stage TEXT NOT NULL,
            record TEXT NOT NULL, config BLOB NOT NULL
        ) STRICT;
        CREATE TABLE unreadable (
            kind TEXT NOT NULL, id TEXT NOT NULL, reason TEXT NOT NULL, foundAt INTEGER NOT NULL, record, config
        );
        """
}
