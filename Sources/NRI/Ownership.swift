/// Which plugin has set what of which container: two that set the same are an error, unless the later one first took away what
/// the earlier had set.
struct Ownership: Sendable {
    private struct Key: Hashable {
        var container: String
        var field: NRIField
        /// Of a field with many entries: which one.
        var entry: String?
    }

    private var owners: [Key: String] = [:]

    /// - Throws: `Conflict` when another plugin has it.
    mutating func claim(
        _ field: NRIField, _ entry: String? = nil, of container: String, by plugin: String
    ) throws(Conflict) {
        let key = Key(container: container, field: field, entry: entry)
        if let owner = owners[key], owner != plugin {
            throw Conflict(
                "plugins \(owner) and \(plugin) both set \(field)\(entry.map { " " + $0 } ?? "") of container \(container)"
            )
        }
        owners[key] = plugin
    }

    mutating func release(_ field: NRIField, _ entry: String? = nil, of container: String) {
        owners[Key(container: container, field: field, entry: entry)] = nil
    }

    /// As it is told to plugins that judge.
    var message: NRIOwningPlugins {
        var message = NRIOwningPlugins()
        for (key, plugin) in owners {
            var fields = message.owners[key.container] ?? NRIFieldOwners()
            let number = Int32(key.field.rawValue)
            if let entry = key.entry {
                fields.compound[number, default: NRICompoundFieldOwners()].owners[entry] = plugin
            } else {
                fields.simple[number] = plugin
            }
            message.owners[key.container] = fields
        }
        return message
    }
}

/// Two plugins want what can't both be.
struct Conflict: Error, Sendable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
