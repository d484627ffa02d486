import Glibc
import JSON

extension NetworkResult {
    /// Reads a plugin's result (CNI 1.1.0, section 5, Success; also 0.1.0 to 1.0.0).
    ///
    /// - Parameter interface: the pod's own one, whose addresses count first.
    init(_ value: JSONValue, interface: String, network: String) throws(NetworkError) {
        guard let ips = value["ips"]?.arrayValue ?? NetworkResult.old(value), !ips.isEmpty else {
            throw NetworkError(.pluginFailed, network: network, reason: "the result has no address (ips)")
        }
        let interfaces = value["interfaces"]?.arrayValue ?? []
        /// Interfaces of the pod are those that name a sandbox.
        func isPods(_ ip: JSONValue) -> Bool {
            guard let index = ip["interface"]?.intValue, let link = value["interfaces"]?[Int(clamping: index)] else {
                return true
            }
            return link["sandbox"]?.stringValue?.isEmpty == false
        }
        var addresses: [Address] = []
        for ip in ips where isPods(ip) {
            guard let cidr = ip["address"]?.stringValue, NetworkResult.isAddressWithPrefix(cidr) else {
                throw NetworkError(
                    .pluginFailed, network: network,
                    reason: "the result has an address that is none, with its prefix: "
                        + String((ip["address"]?.stringValue ?? "").prefix(64)))
            }
            addresses.append(Address(cidr: cidr, gateway: ip["gateway"]?.stringValue))
        }
        guard !addresses.isEmpty else {
            throw NetworkError(
                .pluginFailed, network: network, reason: "the result has no address of the pod's interface")
        }
        let own = interfaces.first {
            $0["name"]?.stringValue == interface && $0["sandbox"]?.stringValue?.isEmpty == false
        }
        func texts(_ key: String) -> [String] { value["dns"]?[key]?.arrayValue?.compactMap(\.stringValue) ?? [] }
        self.init(
            addresses: addresses, mac: own?["mac"]?.stringValue, nameservers: texts("nameservers"),
            searchDomains: texts("search"), dnsOptions: texts("options"), network: network,
            interfaces: interfaces.enumerated().map { index, link in
                Interface(
                    name: link["name"]?.stringValue ?? "", mac: link["mac"]?.stringValue ?? "",
                    sandbox: link["sandbox"]?.stringValue ?? "",
                    addresses: ips.filter { $0["interface"]?.intValue == Int64(index) }.map {
                        Address(cidr: $0["address"]?.stringValue ?? "", gateway: $0["gateway"]?.stringValue)
                    })
            })
    }

    /// Whether it is `address/bits` of either family.
    private static func isAddressWithPrefix(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let bits = UInt8(parts[1]) else { return false }
        return Subnet.Family.allCases.contains { family in
            var binary = [UInt8](repeating: 0, count: family.bytes)
            return inet_pton(family.number, parts[0], &binary) == 1 && Int(bits) <= family.bytes * 8
        }
    }

    /// The addresses of a result of 0.1.0 or 0.2.0, in the form of later ones; nil if it is none.
    private static func old(_ value: JSONValue) -> [JSONValue]? {
        let found = ["ip4", "ip6"].compactMap { value[$0] }.map { family -> JSONValue in
            var ip = JSONObject()
            ip["address"] = family["ip"]
            ip["gateway"] = family["gateway"]
            return .object(ip)
        }
        return found.isEmpty ? nil : found
    }
}
