import CRI

/// The SELinux contexts of a container: of its processes, and of its files.
struct SELinuxLabels: Sendable, Equatable {
    var process: String
    var mount: String

    /// From the container's options, where those say nothing from its pod's; nil where nobody asks for any.
    ///
    /// What is left open is what container policies call it: `system_u:system_r:container_t:s0`.
    /// - Throws: `.invalidArgument` for a part that would change the meaning of the others
    static func plan(
        container: CRISELinuxOption?, pod: CRISELinuxOption?, facts: HostFacts
    ) throws(CRIError) -> SELinuxLabels? {
        guard facts.selinux, let asked = [container, pod].compactMap({ $0 }).first(where: { $0 != CRISELinuxOption() })
        else { return nil }
        for part in [asked.user, asked.role, asked.type]
        where !part.utf8.allSatisfy({ isWord($0) }) {
            throw CRIError(.invalidArgument, "selinux_options: \"\(part.prefix(80))\": not a user, role or type")
        }
        guard asked.level.utf8.allSatisfy({ isWord($0) || ":,.-".utf8.contains($0) }) else {
            throw CRIError(.invalidArgument, "selinux_options: level \"\(asked.level.prefix(80))\": not a level")
        }
        func or(_ text: String, _ other: String) -> String { text.isEmpty ? other : text }
        let user = or(asked.user, "system_u")
        let level = or(asked.level, "s0")
        return SELinuxLabels(
            process: "\(user):\(or(asked.role, "system_r")):\(or(asked.type, "container_t")):\(level)",
            mount: "\(user):object_r:container_file_t:\(level)")
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 95
    }
}
