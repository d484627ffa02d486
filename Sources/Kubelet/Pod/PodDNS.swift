import CRI
import KubeTypes
import SwiftProtobuf

/// What a pod's `/etc/resolv.conf` will say, by its `dnsPolicy` and `dnsConfig`.
struct PodDNS: Sendable, Hashable {
    var servers: [String] = []
    var searches: [String] = []
    var options: [String] = []

    /// Reads a resolver file (resolv.conf(5)); lines that are something else are passed over.
    init(resolverFile text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard let keyword = words.first, !keyword.hasPrefix("#"), !keyword.hasPrefix(";") else { continue }
            switch keyword {
            case "nameserver": if words.count > 1 { servers.append(words[1]) }
            case "search", "domain": searches = words.dropFirst().map { $0 == "." ? $0 : $0.trimmed(".") }
            case "options": options = Array(words.dropFirst())
            default: break
            }
        }
    }

    private init() {}

    /// - Parameter host: what the node's resolver file says
    static func plan(_ pod: Pod, host: PodDNS, clusterDNS: [String], clusterDomain: String) -> PodDNS {
        var dns = PodDNS()
        switch pod.spec.dnsPolicy {
        case .none: break
        case .clusterFirstWithHostNet where !clusterDNS.isEmpty:
            dns = cluster(pod, host, clusterDNS, clusterDomain)
        case .clusterFirst where !clusterDNS.isEmpty && !pod.spec.hostNetwork:
            dns = cluster(pod, host, clusterDNS, clusterDomain)
        default: dns = host
        }
        if let own = pod.spec.dnsConfig {
            dns.servers = (dns.servers + own.nameservers).unique
            dns.searches = (dns.searches + own.searches).unique
            dns.options = merged(dns.options, own.options)
        }
        // What the resolver of glibc takes: three servers, 32 domains in 2048 characters.
        dns.servers = Array(dns.servers.prefix(3))
        dns.searches = Array(dns.searches.prefix(32))
        while dns.searches.joined(separator: " ").utf8.count > 2048 { dns.searches.removeLast() }
        return dns
    }

    var cri: CRIDNSConfig {
        CRIDNSConfig.with {
            $0.servers = servers
            $0.searches = searches
            $0.options = options
        }
    }

    private static func cluster(_ pod: Pod, _ host: PodDNS, _ servers: [String], _ domain: String) -> PodDNS {
        var dns = PodDNS()
        dns.servers = servers
        dns.options = ["ndots:5"]
        let own = domain.isEmpty ? [] : ["\(pod.metadata.namespace).svc.\(domain)", "svc.\(domain)", domain]
        dns.searches = (own + host.searches).unique
        return dns
    }

    /// The pod's options replace those of the same name.
    private static func merged(_ base: [String], _ own: [PodDNSConfigOption]) -> [String] {
        func name(_ option: String) -> String { String(option.prefix { $0 != ":" }) }
        let replaced = Set(own.map(\.name))
        return base.filter { !replaced.contains(name($0)) }
            + own.map { option in option.value.map { "\(option.name):\($0)" } ?? option.name }
    }
}

extension Array where Element: Hashable {
    /// Each element once, at its first place.
    var unique: [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}

extension String {
    /// Without these characters at its end.
    func trimmed(_ characters: String) -> String {
        var text = Substring(self)
        while let last = text.last, characters.contains(last) { text.removeLast() }
        return String(text)
    }
}
