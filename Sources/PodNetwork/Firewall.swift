import Glibc
import Linux

/// The default network's rules in the host's firewall: pods reach the world in the host's name, and are forwarded where the
/// host's policy is to drop.
///
/// For each family of addresses one chain a node, `KUBESIM-<bridge>` in table `nat`, entered from `POSTROUTING`, and two rules
/// in `FORWARD`; each jump has the comment `kubesim <bridge>`.
struct Firewall: Sendable {
    var runner: PluginRunner
    var bridge: String
    var family: Subnet.Family

    private var program: String { family == .ipv4 ? "iptables" : "ip6tables" }
    private var chain: String { "KUBESIM-" + bridge }
    private var comment: [String] { ["-m", "comment", "--comment", "kubesim \(bridge)"] }
    private func jump(_ range: Subnet) -> [String] { ["-s", range.text] + comment + ["-j", chain] }
    private var forwards: [[String]] {
        [["-i", bridge] + comment + ["-j", "ACCEPT"], ["-o", bridge] + comment + ["-j", "ACCEPT"]]
    }

    /// Puts the rules in place unless they are: what a firewall's reload took away comes back.
    func ensure(_ range: Subnet) async throws(NetworkError) {
        if try await holds(["-t", "nat", "-C", "POSTROUTING"] + jump(range)) { return }
        let source = "-s \(range.text) -m comment --comment \"kubesim \(bridge)\""
        try await restore(
            """
            *nat
            :\(chain) - [0:0]
            -A \(chain) -d \(range.text) -j RETURN
            -A \(chain) -d \(family.multicast) -j RETURN
            -A \(chain) -j MASQUERADE
            -A POSTROUTING \(source) -j \(chain)
            COMMIT

            """)
        for rule in forwards where try await !holds(["-t", "filter", "-C", "FORWARD"] + rule) {
            try await iptables(["-t", "filter", "-A", "FORWARD"] + rule)
        }
    }

    /// Takes the rules away; those that aren't there are success, as is a host without iptables.
    func remove() async throws(NetworkError) {
        guard runner.tool(program) != nil else { return }
        // A kernel without this family's table has no rule in it.
        if family == .ipv6, !(await works()) { return }
        let saved = try await iptables(["-t", "nat", "-S"])
        var lines = Firewall.removal(of: [chain], from: saved)
        lines += Firewall.removalOfEmptyPortMap(from: saved)
        if !lines.isEmpty { try await restore("*nat\n" + lines.joined(separator: "\n") + "\nCOMMIT\n") }
        for rule in forwards {
            while try await holds(["-t", "filter", "-C", "FORWARD"] + rule) {
                try await iptables(["-t", "filter", "-D", "FORWARD"] + rule)
            }
        }
    }

    /// The lines for iptables-restore that remove chains with all that leads to them.
    ///
    /// - Parameter saved: what `iptables -S` printed of the table.
    static func removal(of chains: [String], from saved: String) -> [String] {
        let lines = saved.split(separator: "\n").map(String.init)
        let present = chains.filter { lines.contains("-N " + $0) }
        if present.isEmpty { return [] }
        let jumps = lines.filter { line in
            line.hasPrefix("-A ") && !present.contains { line.hasPrefix("-A \($0) ") }
                && present.contains { line.hasSuffix(" -j \($0)") }
        }
        return jumps.map { "-D " + $0.dropFirst(3) } + present.map { "-F " + $0 } + present.map { "-X " + $0 }
    }

    /// The same for the port mapper's common chains, if no port is mapped any more.
    static func removalOfEmptyPortMap(from saved: String) -> [String] {
        let lines = saved.split(separator: "\n")
        let inUse = lines.contains { $0.hasPrefix("-A CNI-HOSTPORT-DNAT ") || $0.hasPrefix("-N CNI-DN-") }
        if inUse { return [] }
        return removal(of: ["CNI-HOSTPORT-DNAT", "CNI-HOSTPORT-SETMARK", "CNI-HOSTPORT-MASQ"], from: saved)
    }

    /// Whether this host's kernel and rights allow address translation of this family.
    func works() async -> Bool {
        guard runner.tool(program) != nil else { return false }
        return (try? await perform(program, ["-w", "-t", "nat", "-S", "POSTROUTING"]))?.status == .exited(code: 0)
    }

    /// Whether a rule is there.
    private func holds(_ arguments: [String]) async throws(NetworkError) -> Bool {
        let run = try await perform(program, ["-w"] + arguments)
        // 1: no such rule or chain. Whatever else is wrong shows when the rule is made.
        return run.status == .exited(code: 0)
    }

    @discardableResult
    private func iptables(_ arguments: [String]) async throws(NetworkError) -> String {
        let run = try await perform(program, ["-w"] + arguments)
        try refuse(run, program + " -w " + arguments.joined(separator: " "))
        return String(decoding: run.output, as: UTF8.self)
    }

    private func restore(_ text: String) async throws(NetworkError) {
        let run = try await perform(program + "-restore", ["-w", "--noflush"], input: Array(text.utf8))
        try refuse(run, program + "-restore")
    }

    private func refuse(_ run: PluginRun, _ what: String) throws(NetworkError) {
        if run.status == .exited(code: 0) { return }
        throw NetworkError(
            .host,
            reason:
                "\(what) failed\(PluginAnswer.excerpt(run.errors)); this host's kernel or rights don't allow firewall rules"
        )
    }

    private func perform(_ tool: String, _ arguments: [String], input: [UInt8] = []) async throws(NetworkError)
        -> PluginRun
    {
        guard let path = runner.tool(tool) else {
            throw NetworkError(.host, reason: "no program \(tool) on this host; apt-get install iptables")
        }
        do throws(PluginRun.Failure) {
            return try await runner.perform(path, [tool] + arguments, input: input)
        } catch {
            switch error {
            case .deadline:
                throw NetworkError(.deadline, reason: "\(tool) didn't end within \(runner.deadline) and was killed")
            case .tooMuchOutput: throw NetworkError(.host, reason: "\(tool) wrote too much")
            case .stopped: throw NetworkError(.host, reason: "\(tool) was ended with the node")
            case .system(let cause): throw NetworkError(.host, reason: "\(cause)")
            }
        }
    }
}

extension PluginRunner {
    /// Where a system tool is.
    func tool(_ name: String) -> String? {
        ["/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/", "/usr/local/sbin/"].map { $0 + name }.first {
            access($0, X_OK) == 0
        }
    }
}
