/// A range of IPv4 addresses: `10.88.0.0/16`.
struct Subnet: Sendable, Hashable {
    var first: UInt32
    var prefix: Int

    /// nil for what isn't four numbers, a slash and a prefix that leaves room for a gateway and a pod.
    init?(_ text: String) {
        let halves = text.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2, let prefix = Int(halves[1]), (1...30).contains(prefix),
            let address = Subnet.address(halves[0])
        else { return nil }
        self.prefix = prefix
        first = address & ~(UInt32.max >> UInt32(prefix))
    }

    func contains(_ address: UInt32) -> Bool { address & ~(UInt32.max >> UInt32(prefix)) == first }

    func overlaps(_ other: Subnet) -> Bool { contains(other.first) || other.contains(first) }

    /// `first/prefix`
    var text: String {
        let bytes = [24, 16, 8, 0].map { String(first >> UInt32($0) & 0xFF) }
        return bytes.joined(separator: ".") + "/" + String(prefix)
    }

    private static func address(_ text: Substring) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var address: UInt32 = 0
        for part in parts {
            guard let byte = UInt8(part), part.utf8.count <= 3, part.utf8.first != UInt8(ascii: "+") else { return nil }
            address = address << 8 | UInt32(byte)
        }
        return address
    }
}
