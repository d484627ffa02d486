import Glibc
import Linux

/// Shims that run, found by their command lines: for those that can't be reached through their sockets.
enum StrayShims {
    /// Process ids by sandbox, of shims whose directories lie below `folder`. One that is just starting is several. Blocking.
    private static func find(below folder: String) -> [SandboxID: [Int32]] {
        var found: [SandboxID: [Int32]] = [:]
        for name in (try? Directory.names("/proc")) ?? [] {
            guard let pid = Int32(name), let bytes = try? File.read("/proc/\(pid)/cmdline", limit: 64 << 10),
                let id = sandbox(commandLine: bytes, below: folder)
            else { continue }
            found[id, default: []].append(pid)
        }
        return found
    }

    /// The sandbox of a shim's command line: `… start … --dir <folder>/<id>/shim …`.
    static func sandbox(commandLine bytes: [UInt8], below folder: String) -> SandboxID? {
        let arguments = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        guard arguments.count > 2, arguments[1] == "start", let option = arguments.firstIndex(of: "--dir"),
            option + 1 < arguments.count
        else { return nil }
        let directory = arguments[option + 1]
        guard directory.hasPrefix(folder + "/"), directory.hasSuffix("/shim") else { return nil }
        return SandboxID(String(directory.dropFirst(folder.count + 1).dropLast(5)))
    }

    /// Kills the shim of a sandbox, in whatever stage of its start it is, and waits for its end, at most 5 s.
    static func end(_ id: SandboxID, below folder: String) async {
        await Blocking.run {
            // A process that forks while we look leaves a child to be found by the next look.
            for _ in 0..<10 {
                guard let pids = find(below: folder)[id] else { return }
                for pid in pids {
                    guard let process = try? Pidfd(pid: pid) else { continue }
                    try? process.signal(SIGKILL)  // One that has ended meanwhile is what was wanted.
                    _ = try? process.ended(withinMilliseconds: 5000)
                }
            }
        }
    }
}
