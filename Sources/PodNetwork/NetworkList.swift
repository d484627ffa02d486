import JSON

/// A network configuration list (CNI 1.1.0, section 1): the plugins that make one network, in order.
struct NetworkList: Sendable, Hashable {
    /// The specification's version that its plugins are spoken to in.
    var version: String
    var name: String
    /// Whether CHECK is left out.
    var disableCheck: Bool
    /// Each plugin's own configuration as it stands.
    var plugins: [JSONValue]
    /// Where it was read; nil for the default network.
    var file: String?

    /// The versions whose results are understood here.
    static let versions = ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]

    /// Reads a `.conflist`, or a `.conf` with one plugin.
    init(_ value: JSONValue, file: String?) throws(NetworkError) {
        func wrong(_ reason: String) -> NetworkError {
            NetworkError(.configuration, reason: (file.map { $0 + ": " } ?? "") + reason)
        }
        guard value.objectValue != nil else { throw wrong("it is no JSON object") }
        guard let name = value["name"]?.stringValue, NetworkList.isName(name) else {
            throw wrong("name is missing, or has other characters than letters, digits, '.', '_' and '-'")
        }
        let version = value["cniVersion"]?.stringValue ?? ""
        guard NetworkList.versions.contains(version) else {
            throw wrong("cniVersion '\(version)' is none of \(NetworkList.versions.joined(separator: ", "))")
        }
        self.version = version
        self.name = name
        self.file = file
        switch value["disableCheck"] {
        case .bool(let flag): disableCheck = flag
        case .string(let text): disableCheck = text == "true"
        default: disableCheck = false
        }
        plugins = value["plugins"]?.arrayValue ?? [value]
        guard !plugins.isEmpty else { throw wrong("plugins is empty") }
        for plugin in plugins {
            guard let type = plugin["type"]?.stringValue, NetworkList.isName(type) else {
                throw wrong("a plugin's type is missing or no program's name")
            }
        }
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

    /// The list as JSON, for the record of an attachment.
    var json: JSONValue {
        [
            "cniVersion": .string(version), "name": .string(name), "disableCheck": .bool(disableCheck),
            "plugins": .array(plugins),
        ]
    }
}
