import KubeTypes

/// The text of a pod's `/etc/hosts`, in upstream's layout.
enum HostsFile {
    /// For a pod with its own network.
    static func managed(addresses: [String], hostname: String, domain: String, aliases: [HostAlias]) -> String {
        var text = "# Kubernetes-managed hosts file.\n"
        for line in [
            "127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback", "fe00::0\tip6-localnet",
            "fe00::0\tip6-mcastprefix", "fe00::1\tip6-allnodes", "fe00::2\tip6-allrouters",
        ] {
            text += line + "\n"
        }
        for address in addresses {
            text += domain.isEmpty ? "\(address)\t\(hostname)\n" : "\(address)\t\(hostname).\(domain)\t\(hostname)\n"
        }
        return text + lines(aliases)
    }

    /// For a pod on the host's network: the host's file first.
    static func ofHost(_ original: String, aliases: [HostAlias]) -> String {
        "# Kubernetes-managed hosts file (host network).\n" + original + lines(aliases)
    }

    private static func lines(_ aliases: [HostAlias]) -> String {
        guard !aliases.isEmpty else { return "" }
        var text = "\n# Entries added by HostAliases.\n"
        for alias in aliases { text += "\(alias.ip)\t\(alias.hostnames.joined(separator: "\t"))\n" }
        return text
    }
}
