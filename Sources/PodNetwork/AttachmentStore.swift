import JSON
import Linux

/// The records of attached sandboxes: a file each, `<network>-<sandbox>-<interface>`, replaced atomically. The directory is
/// laid out as the CNI library's `<cache>/results`.
struct AttachmentStore: Sendable {
    /// `NetworkConfiguration.cacheDir`
    var directory: String

    enum Look {
        case absent
        case found(AttachmentRecord)
        /// The file is there and says nothing that can be used.
        case damaged(path: String, reason: String)
    }

    private static let interface = "eth0"

    private func path(_ record: AttachmentRecord) -> String {
        "\(directory)/\(record.list.name)-\(record.arguments.sandbox)-\(record.arguments.interface)"
    }

    /// - Throws: when the file can't be read at all.
    func look(_ sandbox: String) throws(NetworkError) -> Look {
        try check(sandbox)
        var damaged: Look?
        for name in try names() where name.hasSuffix("-\(sandbox)-\(AttachmentStore.interface)") {
            let path = directory + "/" + name
            switch try readFile(path) {
            case .found(let record):
                if record.arguments.sandbox == sandbox { return .found(record) }
            case .damaged(let path, let reason): damaged = .damaged(path: path, reason: reason)
            case .absent: break
            }
        }
        return damaged ?? .absent
    }

    private func readFile(_ path: String) throws(NetworkError) -> Look {
        do {
            return .found(try AttachmentRecord(JSONValue.parse(try File.read(path, limit: 4 << 20)), path: path))
        } catch let error as SystemError {
            if error.errno == .noEntry { return .absent }
            throw NetworkError(.host, reason: "\(error)")
        } catch let error as NetworkError {
            return .damaged(path: path, reason: error.reason)
        } catch {
            return .damaged(path: path, reason: "\(path): \(error)")
        }
    }

    /// nil if the sandbox isn't on the network.
    func read(_ sandbox: String) throws(NetworkError) -> AttachmentRecord? {
        switch try look(sandbox) {
        case .absent: return nil
        case .found(let record): return record
        case .damaged(_, let reason):
            throw NetworkError(.host, reason: reason + "; remove the file if the sandbox is gone")
        }
    }

    func write(_ record: AttachmentRecord) throws(NetworkError) {
        try check(record.arguments.sandbox)
        let path = path(record)
        do throws(SystemError) {
            do throws(SystemError) {
                try AtomicFile.write(path, record.json.encoded(pretty: false))
            } catch {
                if error.errno != .noEntry { throw error }
                try Directory.make(directory, mode: 0o700)
                try AtomicFile.write(path, record.json.encoded(pretty: false))
            }
        } catch {
            throw NetworkError(.host, pod: record.arguments.pod, reason: "\(error)")
        }
    }

    func remove(_ record: AttachmentRecord) throws(NetworkError) { try remove(path: path(record)) }

    func remove(path: String) throws(NetworkError) {
        do throws(SystemError) {
            try File.remove(path)
        } catch {
            throw NetworkError(.host, reason: "\(error)")
        }
    }

    /// Every record that can be read. One that can't is somebody else's, or is found by its sandbox's name.
    func all() throws(NetworkError) -> [AttachmentRecord] {
        var found: [AttachmentRecord] = []
        for name in try names() {
            if case .found(let record) = try readFile(directory + "/" + name) { found.append(record) }
        }
        return found
    }

    /// The sandboxes that have a record.
    func sandboxes() throws(NetworkError) -> [String] { try all().map(\.arguments.sandbox) }

    private func names() throws(NetworkError) -> [String] {
        do throws(SystemError) {
            return try Directory.names(directory).filter { !$0.hasPrefix(".") && !$0.hasSuffix(".tmp") }.sorted()
        } catch {
            if error.errno == .noEntry { return [] }
            throw NetworkError(.host, reason: "\(error)")
        }
    }

    /// The id becomes part of a file's name.
    private func check(_ sandbox: String) throws(NetworkError) {
        guard NetworkList.isName(sandbox), sandbox.utf8.count <= 128 else {
            throw NetworkError(
                .configuration, reason: "'\(sandbox)' is no sandbox id: letters, digits, '.', '_' and '-'")
        }
    }
}
