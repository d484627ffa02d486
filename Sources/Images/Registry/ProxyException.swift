import Glibc

/// An entry of NO_PROXY: what is spoken to without a proxy (golang.org/x/net/http/httpproxy, "NoProxy").
///
/// `*`; an address with or without a port; a range of addresses; a name, which stands for all below it, too; a name behind `.`
/// or `*.`, which stands for what lies below it alone. A name may have a port.
struct ProxyException: Sendable, Hashable {
    private enum What: Hashable {
        case everything
        case name(String, isOnlyBelow: Bool)
        case range([UInt8], bits: Int)
    }

    private let what: What
    /// nil for any.
    private let port: Int?

    /// nil for an entry that means nothing.
    init?(_ text: String) {
        var entry = text.filter { !$0.isWhitespace }.lowercased()
        if entry == "*" {
            (what, port) = (.everything, nil)
        } else if let slash = entry.firstIndex(of: "/") {
            guard let address = Self.address(String(entry[..<slash])), let bits = Int(entry[slash...].dropFirst()),
                (0...address.count * 8).contains(bits)
            else { return nil }
            (what, port) = (.range(address, bits: bits), nil)
        } else if let address = Self.address(entry) {
            (what, port) = (.range(address, bits: address.count * 8), nil)
        } else {
            if entry.hasPrefix("*.") { entry.removeFirst() }
            let isOnlyBelow = entry.hasPrefix(".")
            if isOnlyBelow { entry.removeFirst() }
            guard let place = HostAddress(scheme: "http", authority: entry) else { return nil }
            port = place.port
            if let address = Self.address(place.host.filter { $0 != "[" && $0 != "]" }) {
                what = .range(address, bits: address.count * 8)
            } else {
                what = .name(place.host, isOnlyBelow: isOnlyBelow)
            }
        }
    }

    /// Whether a host, an address without brackets, is meant.
    func covers(_ host: String, port asked: Int) -> Bool {
        if let port, port != asked { return false }
        switch what {
        case .everything: return true
        case .name(let name, let isOnlyBelow): return !isOnlyBelow && host == name || host.hasSuffix("." + name)
        case .range(let network, let bits):
            guard let address = Self.address(host), address.count == network.count else { return false }
            return (0..<bits).allSatisfy { bit in
                (address[bit / 8] ^ network[bit / 8]) & (0x80 >> UInt8(bit % 8)) == 0
            }
        }
    }

    /// The bytes of an address of either family (inet_pton(3)).
    private static func address(_ text: String) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 { return Array(bytes.prefix(4)) }
        return inet_pton(AF_INET6, text, &bytes) == 1 ? bytes : nil
    }
}
