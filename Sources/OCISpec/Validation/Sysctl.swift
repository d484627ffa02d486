/// Which kernel parameters belong to a namespace, and so to a container.
public enum Sysctl {
    /// The namespace that a parameter belongs to; nil if it is the whole host's.
    ///
    /// - Parameter name: with dots or slashes, as sysctl(8) takes it.
    public static func namespace(of name: String) -> LinuxNamespaceType? {
        // A slash or an empty part would make another path of it.
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        // An interface's name may hold a dot, which is then written as a slash.
        let folders = name.split(separator: "/", omittingEmptySubsequences: false)
        guard folders.count == 1 || parts.first == "net" else { return nil }
        guard !folders.contains(where: { $0 == ".." || $0 == "." || $0.isEmpty }) else { return nil }
        if name.hasPrefix("net.") { return .network }
        if name.hasPrefix("fs.mqueue.") { return .ipc }
        if ipc.contains(name) { return .ipc }
        if name == "kernel.domainname" || name == "kernel.hostname" { return .uts }
        return nil
    }

    private static let ipc: Set<String> = [
        "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax",
        "kernel.shmmni", "kernel.shm_rmid_forced",
    ]
}
