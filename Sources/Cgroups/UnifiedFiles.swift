/// `linux.resources.unified`: v2 files by name, written as they are (config-linux.md, Unified).
enum UnifiedFiles {
    static func plan(_ files: [String: String], host: CgroupHost) throws(CgroupError) -> [CgroupWrite] {
        var writes: [CgroupWrite] = []
        for (file, value) in files.sorted(by: { $0.key < $1.key }) {
            let field = "linux.resources.unified." + file
            // The name is part of a path.
            guard !file.contains("/"), !file.utf8.contains(0), let dot = file.firstIndex(of: "."),
                dot != file.startIndex
            else { throw CgroupError("plan \(field)", hint: "the name must be a control file's, like memory.high") }
            let controller = String(file[..<dot])
            guard let unified = host.unified, controller == "cgroup" || unified.controllers.contains(controller) else {
                throw CgroupError(
                    "plan \(field)",
                    hint:
                        "invalid configuration: this host's cgroup v2 has no \(controller) controller (it is \(host.mode.rawValue))"
                )
            }
            writes.append(CgroupWrite(controller, file, value, for: field))
        }
        return writes
    }
}
