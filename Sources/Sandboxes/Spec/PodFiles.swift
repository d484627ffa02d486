import CRI

/// The files of a pod on the host that its containers see, all in the sandbox's own directory.
struct PodFiles: Sendable, Equatable {
    var hosts: String
    var hostname: String
    var resolvConf: String
    /// The tmpfs that the pod's containers share as /dev/shm.
    var shm: String

    init(directory: String) {
        hosts = directory + "/hosts"
        hostname = directory + "/hostname"
        resolvConf = directory + "/resolv.conf"
        shm = directory + "/shm"
    }
}

/// What stands in a pod's files: pure.
enum PodFileTexts {
    /// The pod's `/etc/hosts` where the kubelet doesn't mount its own: the host's, or the loopback names without one.
    static func hosts(host: String?, hostname: String) -> String {
        if let host { return host.hasSuffix("\n") || host.isEmpty ? host : host + "\n" }
        return "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\t\(hostname)\n"
    }

    /// The pod's `/etc/resolv.conf`: from `dns_config`, else the host's (resolv.conf(5)).
    ///
    /// - Throws: `.invalidArgument` for a search list beyond 32 domains or 2048 characters, or a line break in any entry.
    static func resolvConf(dns: CRIDNSConfig?, host: String?) throws(CRIError) -> String {
        guard let dns, !(dns.servers.isEmpty && dns.searches.isEmpty && dns.options.isEmpty) else {
            guard let host else { return "" }
            return host.hasSuffix("\n") || host.isEmpty ? host : host + "\n"
        }
        for entry in dns.servers + dns.searches + dns.options {
            guard !entry.isEmpty, !entry.utf8.contains(where: { $0 <= 32 || $0 == 127 }) else {
                throw CRIError(.invalidArgument, "dns_config: \"\(entry.prefix(64))\": blank, or with a space inside")
            }
        }
        guard dns.searches.count <= 32, dns.searches.joined(separator: " ").utf8.count <= 2048 else {
            throw CRIError(.invalidArgument, "dns_config: more than 32 search domains or 2048 characters")
        }
        var text = ""
        if !dns.searches.isEmpty { text += "search \(dns.searches.joined(separator: " "))\n" }
        for server in dns.servers { text += "nameserver \(server)\n" }
        if !dns.options.isEmpty { text += "options \(dns.options.joined(separator: " "))\n" }
        return text
    }
}
