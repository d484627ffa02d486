import Glibc

/// A range of addresses of one family: `10.88.0.0/16`, `fd6b:1::/64`.
struct Subnet: Sendable, Hashable {
    enum Family: Sendable, Hashable, CaseIterable {
        case ipv4
        case ipv6

        var bytes: Int { self == .ipv4 ? 4 : 16 }
        /// The longest prefix that leaves room for a gateway and a pod.
        var longestPrefix: Int { self == .ipv4 ? 30 : 126 }
        /// The range of all addresses.
        var everything: String { self == .ipv4 ? "0.0.0.0/0" : "::/0" }
        var multicast: String { self == .ipv4 ? "224.0.0.0/4" : "ff00::/8" }
        var number: Int32 { self == .ipv4 ? AF_INET : AF_INET6 }
    }

    var family: Family
    /// The first address: its bits after the prefix are zero.
    var first: [UInt8]
    var prefix: Int

    /// nil for what isn't an address, a slash and a prefix that leaves room for a gateway and a pod.
    init?(_ text: String) {
        let halves = text.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2, halves[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let prefix = Int(halves[1])
        else { return nil }
        let family: Family = halves[0].contains(":") ? .ipv6 : .ipv4
        guard let address = Subnet.bytes(String(halves[0]), family) else { return nil }
        self.init(family, address, prefix: prefix)
    }

    /// nil for a prefix that leaves no room.
    init?(_ family: Family, _ address: [UInt8], prefix: Int) {
        guard (1...family.longestPrefix).contains(prefix), address.count == family.bytes else { return nil }
        self.family = family
        self.prefix = prefix
        first = Subnet.masked(address, prefix)
    }

    func contains(_ address: [UInt8]) -> Bool {
        address.count == family.bytes && Subnet.masked(address, prefix) == first
    }

    func overlaps(_ other: Subnet) -> Bool {
        family == other.family && (contains(other.first) || other.contains(first))
    }

    /// `first/prefix`
    var text: String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        inet_ntop(family.number, first, &buffer, socklen_t(buffer.count))
        let letters = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: letters, as: UTF8.self) + "/" + String(prefix)
    }

    private static func bytes(_ text: String, _ family: Family) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: family.bytes)
        return inet_pton(family.number, text, &bytes) == 1 ? bytes : nil
    }

    private static func masked(_ address: [UInt8], _ prefix: Int) -> [UInt8] {
        address.enumerated().map { index, byte in
            let bits = min(max(prefix - index * 8, 0), 8)
            return byte & ~UInt8(truncatingIfNeeded: 0xFF >> bits)
        }
    }
}

extension Subnet {
    /// The ranges in a list with commas: one, or one of each family, as Kubernetes writes them; nil for anything else.
    static func list(_ text: String) -> [Subnet]? {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            Subnet(String(part.drop { $0 == " " }))
        }
        let ranges = parts.compactMap(\.self)
        guard ranges.count == parts.count, (1...2).contains(ranges.count),
            Set(ranges.map(\.family)).count == ranges.count
        else { return nil }
        return ranges
    }
}
