import Linux

extension Cgroup {
    /// A control file's text; nil if the controller, the cgroup or the file isn't there.
    ///
    /// - Parameter controller: where to look in v1; v2 is looked at when there is no such v1 hierarchy.
    func text(_ controller: String?, _ file: String) -> String? {
        guard let directory = directory(controller) ?? unifiedDirectory else { return nil }
        return try? File.readText(directory + "/" + file)
    }

    /// A control file with one number; nil for `max`, and if it isn't there.
    func number(_ controller: String?, _ file: String) -> UInt64? {
        guard let text = text(controller, file) else { return nil }
        return UInt64(text.prefix { $0 != "\n" })
    }

    /// A control file of lines `key number`.
    func table(_ controller: String?, _ file: String) -> [String: UInt64]? {
        guard let text = text(controller, file) else { return nil }
        var found: [String: UInt64] = [:]
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            if fields.count == 2, let number = UInt64(fields[1]) { found[String(fields[0])] = number }
        }
        return found
    }

    /// What the cgroup uses of memory now.
    var memoryUsageBytes: UInt64? {
        host.hierarchy(of: "memory") == nil
            ? number(nil, "memory.current") : number("memory", "memory.usage_in_bytes")
    }
}
