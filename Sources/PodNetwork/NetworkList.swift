import JSON

/// A network configuration (CNI 1.1.0, section 1): the plugins that make one network, in order.
struct NetworkList: Sendable, Hashable {
    /// The specification's version that its plugins are spoken to in.
    var version: SpecVersion
    /// The versions of `cniVersion` and `cniVersions` that are known here, newest first; never empty.
    var offered: [SpecVersion]
    var name: String
    /// Whether CHECK is left out.
    var disableCheck: Bool
    /// Whether GC is left out.
    var disableGC: Bool
    /// Each plugin's own configuration as it stands.
    var plugins: [JSONValue]
    /// Where it was read; nil for the default network.
    var file: String?

    /// Reads a `.conflist`, or a `.conf` with one plugin.
    ///
    /// - Parameter others: plugins that stand beside the file, in a directory of the network's name
    ///   (`loadOnlyInlinedPlugins` leaves them out)
    init(
        _ value: JSONValue, file: String?,
        others: (_ name: String) throws(NetworkError) -> [JSONValue] = { (_) throws(NetworkError) in [] }
    ) throws(NetworkError) {
        func wrong(_ reason: String) -> NetworkError {
            NetworkError(.configuration, reason: (file.map { $0 + ": " } ?? "") + reason)
        }
        func flag(_ key: String) throws(NetworkError) -> Bool {
            switch value[key] {
            case nil: return false
            case .bool(let flag): return flag
            case .string(let text) where text.lowercased() == "true": return true
            case .string(let text) where text.lowercased() == "false": return false
            default: throw wrong("\(key) is neither true nor false")
            }
        }
        guard value.objectValue != nil else { throw wrong("it is no JSON object") }
        guard let name = value["name"]?.stringValue, NetworkList.isName(name) else {
            throw wrong("name is missing, or has other characters than letters, digits, '.', '_' and '-'")
        }
        do throws(VersionProblem) {
            offered = try NetworkList.versions(value)
        } catch {
            throw wrong(error.reason)
        }
        version = offered[0]
        self.name = name
        self.file = file
        disableCheck = try flag("disableCheck")
        disableGC = try flag("disableGC")
        let onlyInlined = try flag("loadOnlyInlinedPlugins")
        if value["type"] != nil, value["plugins"] == nil {
            plugins = [value]
        } else {
            if onlyInlined, value["plugins"] == nil { throw wrong("loadOnlyInlinedPlugins without plugins") }
            plugins = value["plugins"]?.arrayValue ?? []
            if !onlyInlined { plugins += try others(name) }
        }
        guard !plugins.isEmpty else { throw wrong("plugins is empty") }
        for plugin in plugins {
            guard let type = plugin["type"]?.stringValue, NetworkList.isName(type) else {
                throw wrong("a plugin's type is missing or no program's name")
            }
        }
    }

    private struct VersionProblem: Error {
        var reason: String
    }

    /// The versions that a configuration offers and that are known here, newest first. Without any it is of the time before
    /// they were written down.
    private static func versions(_ value: JSONValue) throws(VersionProblem) -> [SpecVersion] {
        var texts: [String] = []
        if let list = value["cniVersions"] {
            guard let elements = list.arrayValue, elements.allSatisfy({ $0.stringValue != nil }) else {
                throw VersionProblem(reason: "cniVersions is no list of texts")
            }
            texts = elements.compactMap(\.stringValue)
        }
        if let text = value["cniVersion"]?.stringValue, !text.isEmpty { texts.append(text) }
        if texts.isEmpty { texts = ["0.1.0"] }
        let known = Set(texts.compactMap { SpecVersion($0) }).intersection(SpecVersion.known)
        guard !known.isEmpty else {
            throw VersionProblem(
                reason: "cniVersion '\(texts.joined(separator: ", "))' is none of "
                    + SpecVersion.known.map(\.text).joined(separator: ", "))
        }
        return known.sorted(by: >)
    }

    /// `^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`, for the network's name, a plugin's program and a container's id.
    static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, isAlphanumeric(first) else { return false }
        return text.utf8.allSatisfy {
            isAlphanumeric($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-")
        }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (byte >= 0x30 && byte <= 0x39) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A)
    }

    /// The programs that it needs: each plugin's and its address manager's.
    var programs: [String] {
        var found: [String] = []
        for plugin in plugins {
            for type in [plugin["type"]?.stringValue, plugin["ipam"]?["type"]?.stringValue] {
                if let type, !type.isEmpty, !found.contains(type) { found.append(type) }
            }
        }
        return found
    }

    /// The list as JSON, for the record of an attachment: in the version that was chosen, its plugins all within.
    var json: JSONValue {
        [
            "cniVersion": .string(version.text), "name": .string(name), "disableCheck": .bool(disableCheck),
            "disableGC": .bool(disableGC), "loadOnlyInlinedPlugins": true, "plugins": .array(plugins),
        ]
    }
}
