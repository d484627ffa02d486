import JSON
import Linux
import Logging

extension NetworkList {
    /// An administrator's network: the first valid file of the directory by name; nil if there is none.
    ///
    /// It is read when it is needed, not watched: a configuration that somebody puts there, changes or takes away counts from
    /// the next pod on. A file that can't be read is passed over with a warning, as long as a later one can; if all are bad,
    /// the first one's error is thrown: an administrator who wrote a network doesn't want another one.
    static func load(_ directory: String, logger: Logger) throws(NetworkError) -> NetworkList? {
        var failure: NetworkError?
        for name in files(directory, [".conflist", ".conf", ".json"]) {
            let path = directory + "/" + name
            do throws(NetworkError) {
                return try NetworkList(try read(path), file: path) { (network) throws(NetworkError) in
                    try others(directory + "/" + network)
                }
            } catch {
                logger.warning(
                    "a network configuration is passed over", metadata: ["file": "\(path)", "error": "\(error.reason)"])
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return nil
    }

    /// The plugins in a directory of the network's name beside its file: `<directory>/<network>/*.conf`.
    private static func others(_ directory: String) throws(NetworkError) -> [JSONValue] {
        var found: [JSONValue] = []
        for name in files(directory, [".conf"]) {
            let value = try read(directory + "/" + name)
            guard let type = value["type"]?.stringValue, isName(type) else {
                throw NetworkError(
                    .configuration, reason: "\(directory)/\(name): the plugin's type is missing or no program's name")
            }
            found.append(value)
        }
        return found
    }

    private static func files(_ directory: String, _ suffixes: [String]) -> [String] {
        // No directory is the same as an empty one.
        let names = (try? Directory.names(directory)) ?? []
        return names.filter { name in suffixes.contains { name.hasSuffix($0) } }.sorted()
    }

    private static func read(_ path: String) throws(NetworkError) -> JSONValue {
        do {
            return try JSONValue.parse(try File.read(path, limit: 1 << 20))
        } catch let error as JSONError {
            throw NetworkError(.configuration, reason: "\(path): \(error)")
        } catch {
            throw NetworkError(.configuration, reason: "\(error)")
        }
    }
}
