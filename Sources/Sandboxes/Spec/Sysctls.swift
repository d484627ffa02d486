/// Which kernel parameters a pod may set: those that live in a namespace of its own.
///
/// The list is the one Kubernetes calls namespaced. Names come in either spelling (`net/ipv4/…` or `net.ipv4.…`);
/// a value with a separator could smuggle in a second one where a runtime joins them (CVE-2022-0811), so control
/// characters, `+` and `=` are refused.
enum Sysctls {
    private static let ipcNames: Set<String> = [
        "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni",
        "kernel.shm_rmid_forced", "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni",
    ]

    /// The refusal of `name`, or nil when a pod with these namespaces may set it to `value`.
    static func refusal(name: String, value: String, hostNetwork: Bool, hostIPC: Bool) -> String? {
        let dotted = canonical(name)
        let parts = dotted.split(separator: ".", omittingEmptySubsequences: false)
        let wellFormed =
            parts.count >= 2
            && parts.allSatisfy { part in
                !part.isEmpty && part != "." && part != ".."
                    && part.utf8.allSatisfy { byte in
                        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                            || byte == 95 || byte == 45 || byte == 47
                    }
            }
        guard wellFormed, !dotted.contains(".."), !dotted.contains("//") else {
            return "sysctl \"\(printable(name))\": not a parameter's name"
        }
        guard value.utf8.count <= 4096, !value.utf8.contains(where: { $0 < 32 && $0 != 9 || $0 == 127 }),
            !value.contains("+"), !value.contains("=")
        else {
            return "sysctl \(dotted): the value has a character that no parameter needs (control, '+' or '=')"
        }
        if ipcNames.contains(dotted) || dotted.hasPrefix("fs.mqueue.") {
            return hostIPC ? "sysctl \(dotted): not allowed with the host's IPC namespace" : nil
        }
        if dotted.hasPrefix("net.") {
            return hostNetwork ? "sysctl \(dotted): not allowed with the host's network namespace" : nil
        }
        return "sysctl \(dotted): not one that belongs to a pod's own namespaces"
            + " (allowed: net.*, fs.mqueue.*, kernel.shm*, kernel.msg*, kernel.sem)"
    }

    /// `net/ipv4/conf/eth0.1/x` and `net.ipv4.conf.eth0/1.x` mean the same: the first separator seen is the separator.
    static func canonical(_ name: String) -> String {
        guard let first = name.first(where: { $0 == "." || $0 == "/" }), first == "/" else { return name }
        return String(name.map { $0 == "/" ? "." : $0 == "." ? "/" : $0 })
    }
}
