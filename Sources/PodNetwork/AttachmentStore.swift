import JSON
import Linux

/// The records of attached sandboxes: one file each, replaced atomically.
struct AttachmentStore: Sendable {
    /// `NetworkConfiguration.cacheDir`
    var directory: String

    private func path(_ sandbox: String) -> String { directory + "/" + sandbox + ".json" }

    enum Look {
        case absent
        case found(AttachmentRecord)
        /// The file is there and says nothing that can be used.
        case damaged(String)
    }

    /// - Throws: when the file can't be read at all.
    func look(_ sandbox: String) throws(NetworkError) -> Look {
        let path = try checkedPath(sandbox)
        do {
            return .found(try AttachmentRecord(JSONValue.parse(try File.read(path, limit: 4 << 20)), path: path))
        } catch let error as SystemError {
            if error.errno == .noEntry { return .absent }
            throw NetworkError(.host, reason: "\(error)")
        } catch let error as NetworkError {
            return .damaged(error.reason)
        } catch {
            return .damaged("\(path): \(error)")
        }
    }

    /// nil if the sandbox isn't on the network.
    func read(_ sandbox: String) throws(NetworkError) -> AttachmentRecord? {
        switch try look(sandbox) {
        case .absent: return nil
        case .found(let record): return record
        case .damaged(let reason):
            throw NetworkError(.host, reason: reason + "; remove the file if the sandbox is gone")
        }
    }

    func write(_ record: AttachmentRecord) throws(NetworkError) {
        let path = try checkedPath(record.attachment.sandbox)
        do throws(SystemError) {
            do throws(SystemError) {
                try AtomicFile.write(path, record.json.encoded(pretty: false))
            } catch {
                if error.errno != .noEntry { throw error }
                try Directory.make(directory, mode: 0o700)
                try AtomicFile.write(path, record.json.encoded(pretty: false))
            }
        } catch {
            throw NetworkError(.host, pod: record.attachment.pod, reason: "\(error)")
        }
    }

    func remove(_ sandbox: String) throws(NetworkError) {
        do throws(SystemError) {
            try File.remove(path(sandbox))
        } catch {
            throw NetworkError(.host, reason: "\(error)")
        }
    }

    /// The sandboxes that have a record.
    func sandboxes() throws(NetworkError) -> [String] {
        do throws(SystemError) {
            return try Directory.names(directory).filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }
                .sorted()
        } catch {
            if error.errno == .noEntry { return [] }
            throw NetworkError(.host, reason: "\(error)")
        }
    }

    /// The id becomes a file's name.
    private func checkedPath(_ sandbox: String) throws(NetworkError) -> String {
        guard NetworkList.isName(sandbox), sandbox.utf8.count <= 200 else {
            throw NetworkError(
                .configuration, reason: "'\(sandbox)' is no sandbox id: letters, digits, '.', '_' and '-'")
        }
        return path(sandbox)
    }
}
