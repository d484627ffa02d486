extension PodValidation {
    /// What goes into the pod's `/etc/hosts` and `/etc/resolv.conf`.
    mutating func dns(_ spec: FieldPath) {
        for (index, alias) in pod.spec.hostAliases.enumerated() {
            let field = spec.field("hostAliases").index(index)
            if !IPAddress.isValid(alias.ip) { report(.invalid(field.field("ip"), alias.ip, IPAddress.rule)) }
            for (number, name) in alias.hostnames.enumerated() {
                check(field.field("hostnames").index(number), name, Names.subdomain(name))
            }
        }
        check(
            spec.field("dnsPolicy"), pod.spec.dnsPolicy,
            oneOf: [.clusterFirst, .clusterFirstWithHostNet, .default, .none])
        let path = spec.field("dnsConfig")
        if pod.spec.dnsPolicy == .none {
            guard let config = pod.spec.dnsConfig else {
                report(.required(path, "must provide `dnsConfig` when `dnsPolicy` is None"))
                return
            }
            if config.nameservers.isEmpty {
                report(
                    .required(
                        path.field("nameservers"),
                        "must provide at least one DNS nameserver when `dnsPolicy` is None"))
            }
        }
        if let config = pod.spec.dnsConfig { self.config(config, path) }
    }

    private mutating func config(_ config: PodDNSConfig, _ path: FieldPath) {
        let servers = path.field("nameservers")
        if config.nameservers.count > 3 {
            report(.invalid(servers, config.nameservers.count, "must not have more than 3 nameservers"))
        }
        for (index, server) in config.nameservers.enumerated() where !IPAddress.isValid(server) {
            report(.invalid(servers.index(index), server, IPAddress.rule))
        }
        let searches = path.field("searches")
        if config.searches.count > 32 {
            report(.invalid(searches, config.searches.count, "must not have more than 32 search paths"))
        }
        if config.searches.joined(separator: " ").utf8.count > 2048 {
            report(
                .invalid(
                    searches, config.searches.count,
                    "must not have more than 2048 characters (including spaces) in the search list"))
        }
        for (index, search) in config.searches.enumerated() where search != "." {
            // Underscores and a final dot are usual in search paths.
            let name = String((search.hasSuffix(".") ? search.dropLast() : search[...]).map { $0 == "_" ? "a" : $0 })
            check(searches.index(index), search, Names.subdomain(name))
        }
        for (index, option) in config.options.enumerated() where option.name.isEmpty {
            report(.required(path.field("options").index(index), "must not be empty"))
        }
    }
}
