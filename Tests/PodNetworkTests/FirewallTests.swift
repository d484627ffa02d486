import Testing

@testable import PodNetwork

@Suite("What tearDown takes out of the firewall")
struct FirewallTests {
    private let saved = """
        -P PREROUTING ACCEPT
        -P POSTROUTING ACCEPT
        -N CNI-HOSTPORT-DNAT
        -N CNI-HOSTPORT-MASQ
        -N CNI-HOSTPORT-SETMARK
        -N KUBESIM-a
        -N KUBESIM-ab
        -A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
        -A OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
        -A POSTROUTING -m comment --comment "CNI portfwd requiring masquerade" -j CNI-HOSTPORT-MASQ
        -A POSTROUTING -s 10.0.0.0/16 -m comment --comment "kubesim a" -j KUBESIM-a
        -A POSTROUTING -s 10.1.0.0/16 -m comment --comment "kubesim ab" -j KUBESIM-ab
        -A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE
        -A KUBESIM-a -j MASQUERADE

        """

    @Test("our chain with what leads to it, and no other's")
    func own() {
        #expect(
            Firewall.removal(of: ["KUBESIM-a"], from: saved) == [
                "-D POSTROUTING -s 10.0.0.0/16 -m comment --comment \"kubesim a\" -j KUBESIM-a", "-F KUBESIM-a",
                "-X KUBESIM-a",
            ])
        #expect(Firewall.removal(of: ["KUBESIM-c"], from: saved) == [])
    }

    @Test("the port mapper's chains only once no port is mapped")
    func portMap() {
        let lines = Firewall.removalOfEmptyPortMap(from: saved)
        #expect(lines.filter { $0.hasPrefix("-D") }.count == 3)
        #expect(lines.suffix(3) == ["-X CNI-HOSTPORT-DNAT", "-X CNI-HOSTPORT-SETMARK", "-X CNI-HOSTPORT-MASQ"])
        let used = saved + "-A CNI-HOSTPORT-DNAT -p tcp -j CNI-DN-1\n"
        #expect(Firewall.removalOfEmptyPortMap(from: used) == [])
        #expect(Firewall.removalOfEmptyPortMap(from: saved + "-N CNI-DN-1\n") == [])
    }

    @Test(
        "ranges",
        arguments: ["", "10.0.0.0", "10.0.0.0/33", "10.0.0/16", "10.0.0.256/16", "a/8", "10.0.0.0/0", "+1.0.0.0/8"])
    func badSubnets(text: String) { #expect(Subnet(text) == nil) }

    @Test("ranges overlap when one holds the other's beginning")
    func subnets() throws {
        let wide = try #require(Subnet("10.88.3.1/16"))
        #expect(wide.text == "10.88.0.0/16")
        #expect(try wide.overlaps(#require(Subnet("10.88.200.0/24"))))
        #expect(try #require(Subnet("10.88.200.0/24")).overlaps(wide))
        #expect(try !wide.overlaps(#require(Subnet("10.89.0.0/16"))))
    }
}
