import Linux

/// One sysctl of the container, proven to belong to a namespace of its own (CVE-2022-0811).
struct SysctlPlan: Hashable, Sendable {
    var name: String
    var value: String

    /// Below /proc/sys.
    var path: String {
        String(SysctlPlan.normalised(name).map { $0 == "." ? "/" : $0 == "/" ? "." : $0 })
    }

    static func all(_ values: [String: String], namespaces: NamespacePlan) throws(RuntimeError) -> [SysctlPlan] {
        var plans: [SysctlPlan] = []
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            let plan = SysctlPlan(name: name, value: value)
            try plan.validate(namespaces)
            plans.append(plan)
        }
        return plans
    }

    private func validate(_ namespaces: NamespacePlan) throws(RuntimeError) {
        let allowed = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "/"):
                true
            default: false
            }
        }
        // With "a/b/c" the slashes are the separators, as sysctl(8) has it.
        let dotted = SysctlPlan.normalised(name)
        let parts = dotted.split(separator: ".", omittingEmptySubsequences: false)
        guard allowed, parts.count > 1, parts.allSatisfy({ !$0.isEmpty && $0 != "/" && $0 != "//" }) else {
            throw RuntimeError("linux.sysctl: \"\(name.prefix(128))\" is not a sysctl's name")
        }
        if value.utf8.contains(0) || value.utf8.contains(UInt8(ascii: "\n")) {
            throw RuntimeError("linux.sysctl: the value of \(name) has more than one line")
        }
        guard let kind = SysctlPlan.namespace(of: dotted) else {
            throw RuntimeError("linux.sysctl: \"\(name)\" is not in a separate kernel namespace")
        }
        if !namespaces.has(kind) {
            throw RuntimeError("linux.sysctl: \"\(name)\" needs a \(kind.procName) namespace of the container's own")
        }
        if dotted == "kernel.hostname" {
            throw RuntimeError("linux.sysctl: kernel.hostname conflicts with the hostname field")
        }
    }

    /// sysctl(8): if the first separator is a slash, slashes separate and dots are themselves.
    static func normalised(_ name: String) -> String {
        guard let first = name.first(where: { $0 == "." || $0 == "/" }), first == "/" else { return name }
        return String(name.map { $0 == "/" ? "." : $0 == "." ? "/" : $0 })
    }

    private static let ipcNames = [
        "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax",
        "kernel.shmmni",
        "kernel.shm_rmid_forced", "kernel.auto_msgmni", "kernel.msg_next_id", "kernel.sem_next_id",
        "kernel.shm_next_id",
    ]

    private static func namespace(of dotted: String) -> Namespace? {
        if ipcNames.contains(dotted) || dotted.hasPrefix("fs.mqueue.") { return .ipc }
        if dotted.hasPrefix("net.") { return .network }
        if dotted == "kernel.domainname" || dotted == "kernel.hostname" { return .uts }
        if dotted.hasPrefix("user.") { return .user }
        return nil
    }
}
