import Dispatch
import Glibc
import Linux

/// Plugins that outlived the node that had started them, found by what they were given in their environment.
///
/// Only those are meant that lead a session, as the node starts them, and that are at work on a sandbox whose record says so: a
/// daemon that a finished ADD has left on purpose is not.
enum StrayPlugins {
    struct Stray: Sendable, Hashable {
        var pid: Int32
        var sandbox: String
        var verb: String
    }

    /// Kills them with what they started, and waits for their ends.
    static func end(_ records: [AttachmentRecord]) async -> [Stray] {
        if records.isEmpty { return [] }
        return await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: endNow(records)) }
        }
    }

    private static func endNow(_ records: [AttachmentRecord]) -> [Stray] {
        let halfway = Set(records.filter { $0.phase == .attaching }.map(\.arguments.sandbox))
        let known = Set(records.map(\.arguments.sandbox))
        var ended: [Stray] = []
        for name in (try? Directory.names("/proc")) ?? [] {
            guard let pid = Int32(name), getsid(pid) == pid,
                let bytes = try? File.read("/proc/\(pid)/environ", limit: 1 << 20),
                let stray = stray(pid: pid, environment: bytes),
                (stray.verb == "ADD" ? halfway : known).contains(stray.sandbox),
                let process = try? Pidfd(pid: pid)
            else { continue }
            kill(-pid, SIGKILL)  // Its group: iptables, other plugins.
            try? process.signal(SIGKILL)  // One that has ended meanwhile is what was wanted.
            _ = try? process.ended(withinMilliseconds: 5000)
            ended.append(stray)
        }
        return ended
    }

    /// What a process's environment says of the plugin that it is; nil if it is none.
    static func stray(pid: Int32, environment bytes: [UInt8]) -> Stray? {
        var (sandbox, verb): (String?, String?)
        for word in bytes.split(separator: 0) {
            let text = String(decoding: word, as: UTF8.self)
            if text.hasPrefix("CNI_CONTAINERID=") { sandbox = String(text.dropFirst(16)) }
            if text.hasPrefix("CNI_COMMAND=") { verb = String(text.dropFirst(12)) }
        }
        guard let sandbox, let verb, verb == "ADD" || verb == "DEL" || verb == "CHECK" else { return nil }
        return Stray(pid: pid, sandbox: sandbox, verb: verb)
    }
}
