import CLinux
import GRDB
import Glibc
import Linux
import Logging

/// The database's file: made, brought up to date, checked, and put aside when it is damaged.
struct StateFile: Sendable {
    /// `<root>/state.db`; SQLite keeps `-wal` beside it.
    let path: String
    /// The folder that damaged files are moved into.
    let aside: String

    /// What the write-ahead log may always grow to, also when the disk is full: taking pods away has to be written down, too.
    private static let reservedBytes: Int64 = 4 << 20

    /// Opens it. One that is damaged is moved aside and a new one made.
    ///
    /// - Throws: `StateError`; of a file of a newer kubesim too, which is left as it is.
    /// - Returns: the database, and what was wrong with the one that was put aside
    func open(logger: Logger) throws -> (DatabaseQueue, damage: String?) {
        do {
            do {
                return (try connect(), nil)
            } catch let error as DatabaseError where Self.meansDamage(error) {
                let damage = error.message ?? "SQLite error \(error.resultCode.rawValue)"
                try putAside(because: damage, logger: logger)
                return (try connect(), damage)
            }
        } catch {
            throw failure("open", error)
        }
    }

    private func connect() throws -> DatabaseQueue {
        // SQLite would take the umask's word for it; the log beside it gets the same mode.
        if !File.exists(path) { _ = try File.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600) }
        var configuration = Configuration()
        configuration.label = "kubesim.state"
        configuration.foreignKeysEnabled = false
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            // In this order: nobody else ever has the file open, so that the log's index needs no shared memory and an
            // onlooker can't hold a write up. A commit is in the log when it returns: a killed node loses nothing. After
            // a power cut the last ones may be missing, which never damages the file; the pods are gone then anyway.
            for pragma in [
                "locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = NORMAL", "wal_autocheckpoint = 0",
                "cache_size = -512",
            ] {
                try database.execute(sql: "PRAGMA \(pragma)")
            }
        }
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.writeWithoutTransaction { database in
            let findings = try String.fetchAll(database, sql: "PRAGMA quick_check(1)")
            guard findings == ["ok"] else {
                throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: findings.joined(separator: "; "))
            }
            if try StateSchema.migrator.hasBeenSuperseded(database) {
                throw StateError(
                    code: .failed,
                    description:
                        "\(path) was written by a newer kubesim: start that one, or move the file away (its pods"
                        + " are then ended and made anew)")
            }
        }
        try StateSchema.migrator.migrate(queue)
        // A file without the tables that it says it has is damaged, too.
        try queue.writeWithoutTransaction { database in
            for table in ["sandbox", "container"] {
                try database.execute(sql: "SELECT id, record, config FROM \(table) LIMIT 0")
            }
        }
        return queue
    }

    /// Takes room for the log beyond what it holds now, so that a full disk keeps nothing from being removed.
    func reserve() throws(SystemError) {
        // Only the log: to close another descriptor of the database itself would end SQLite's lock on it (fcntl(2)).
        let log = try File.open(path + "-wal", O_RDWR | O_NOFOLLOW)
        try check(sys_fallocate_beyond(log.raw, 0, Self.reservedBytes), "fallocate", path + "-wal")
    }

    /// Removes the database and what SQLite keeps beside it.
    func remove() throws(SystemError) {
        for suffix in Self.suffixes { try File.remove(path + suffix) }
    }

    private static let suffixes = ["", "-wal", "-shm", "-journal"]

    private func putAside(because damage: String, logger: Logger) throws {
        try Directory.make(aside, mode: 0o700)
        let name = "state.db-\(wallClockNanoseconds() / 1_000_000_000)"
        for suffix in Self.suffixes where File.exists(path + suffix) {
            try File.rename(path + suffix, "\(aside)/\(name)\(suffix)")
        }
        logger.error(
            """
            the state database is damaged: its pods are cleared away and start anew from their manifests; nothing is left \
            to mend, the file was moved aside for whoever wants to look
            """,
            metadata: [
                "path": "\(path)", "reason": "\(damage)", "aside": "\(aside)/\(name)",
            ])
    }

    /// Anything that reading again won't mend: also a file whose tables are not what it says they are.
    private static func meansDamage(_ error: DatabaseError) -> Bool {
        [.SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_ERROR].contains(error.resultCode)
    }

    /// An error of the database in our words.
    func failure(_ verb: String, _ error: any Error) -> StateError {
        switch error {
        case let error as StateError: error
        case let error as SystemError:
            StateError(
                code: error.errno == .noSpace || error.errno == .quota ? .full : .failed, description: "\(error)")
        case let error as DatabaseError where error.resultCode == .SQLITE_FULL:
            StateError(code: .full, description: "\(verb) \(path): \(Errno.noSpace)")
        case let error as DatabaseError where error.resultCode == .SQLITE_BUSY:
            StateError(
                code: .failed,
                description: "\(verb) \(path): another program has it open (another node, sqlite3): end that one first")
        case let error as DatabaseError:
            StateError(
                code: .failed,
                description:
                    "\(verb) \(path): \(error.message ?? "no message") (SQLite error \(error.extendedResultCode.rawValue))"
            )
        default: StateError(code: .failed, description: "\(verb) \(path): \(error)")
        }
    }
}
