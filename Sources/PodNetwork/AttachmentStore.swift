import JSON
import Linux

/// The records of attached sandboxes: one file each, replaced atomically.
struct AttachmentStore: Sendable {
    /// `NetworkConfiguration.cacheDir`
    var directory: String

    private func path(_ sandbox: String) -> String { directory + "/" + sandbox + ".json" }

    /// nil if the sandbox isn't on the network.
    func read(_ sandbox: String) throws(NetworkError) -> AttachmentRecord? {
        let path = try checkedPath(sandbox)
        do {
            return try AttachmentRecord(JSONValue.parse(try File.read(path, limit: 4 << 20)), path: path)
        } catch let error as SystemError {
            if error.errno == .noEntry { return nil }
            throw NetworkError(.host, reason: "\(error)")
        } catch let error as NetworkError {
            throw error
        } catch {
            throw NetworkError(.host, reason: "\(path): \(error); remove the file if the sandbox is gone")
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
