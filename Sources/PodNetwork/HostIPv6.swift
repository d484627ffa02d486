import Glibc
import Linux

/// What this host's kernel has of IPv6.
enum HostIPv6 {
    private static let settings = "/proc/sys/net/ipv6/conf"

    /// Whether interfaces of this network namespace may have IPv6 addresses at all.
    static var isThere: Bool {
        guard let all = number("all/disable_ipv6"), let new = number("default/disable_ipv6") else { return false }
        return all == 0 && new == 0
    }

    /// Lets IPv6 packets be forwarded without costing this host its own way out.
    ///
    /// A kernel that forwards ignores router advertisements, from which the host may have its default route: interfaces that
    /// heard them go on hearing them (`accept_ra` 2, ip-sysctl).
    static func forward() throws(SystemError) {
        if number("all/forwarding") == 1 { return }
        for interface in try Directory.names(settings) where number(interface + "/accept_ra") == 1 {
            if interface == "all" || interface == "lo" { continue }
            // An interface that has just gone needs no route.
            try? write(interface + "/accept_ra", "2")
        }
        try write("all/forwarding", "1")
    }

    /// Makes the bridge if it isn't there, as one that needn't ask whether somebody else has its address: the plugin would have it
    /// do so, and for two seconds the first pods would have no gateway.
    static func prepare(bridge: String) throws(SystemError) {
        if try Bridge.add(bridge) { try write(bridge + "/accept_dad", "0") }
    }

    private static func number(_ name: String) -> Int? {
        // No such file: a kernel without IPv6.
        guard let text = try? File.readText(settings + "/" + name, limit: 64) else { return nil }
        return Int(text.prefix { !$0.isNewline })
    }

    private static func write(_ name: String, _ value: String) throws(SystemError) {
        let file = try File.open(settings + "/" + name, O_WRONLY)
        try file.writeAll(Array(value.utf8))
    }
}
