/// What one plugin asks of one container, entry by entry.
struct Claim: Sendable {
    var container: String
    var plugin: String

    /// Entries of a list: those whose name has '-' in front take away, the others replace or add.
    ///
    /// - Parameters:
    ///   - seen: the entries as the next plugin sees them
    ///   - asked: what all plugins have asked for so far
    func adjust<Entry>(
        _ field: NRIField, _ owners: inout Ownership, seen: inout [Entry], asked: inout [Entry], _ wish: [Entry],
        key: (Entry) -> String, remove: (String) -> Entry
    ) throws(Conflict) {
        let removed = Set(wish.map(key).filter { $0.hasPrefix("-") }.map { String($0.dropFirst()) })
        let added = wish.filter { !key($0).hasPrefix("-") }
        let replaced = Set(added.map(key))
        for name in removed {
            owners.release(field, name, of: container)
            asked.removeAll { key($0) == name }
            if !replaced.contains(name) { asked.append(remove(name)) }
        }
        seen.removeAll { removed.contains(key($0)) || replaced.contains(key($0)) }
        for entry in added {
            try owners.claim(field, key(entry), of: container, by: plugin)
            asked.removeAll { key($0) == "-" + key(entry) || key($0) == key(entry) }
            asked.append(entry)
            seen.append(entry)
        }
    }

    /// Entries of a table, in the same way.
    func adjust<Value>(
        _ field: NRIField, _ owners: inout Ownership, seen: inout [String: Value], asked: inout [String: Value],
        _ wish: [String: Value]
    ) throws(Conflict) {
        for (name, value) in wish where name.hasPrefix("-") {
            let key = String(name.dropFirst())
            owners.release(field, key, of: container)
            seen[key] = nil
            asked[key] = nil
            if wish[key] == nil { asked[name] = value }
        }
        for (name, value) in wish where !name.hasPrefix("-") {
            try owners.claim(field, name, of: container, by: plugin)
            asked["-" + name] = nil
            seen[name] = value
            asked[name] = value
        }
    }
}
