import JSON
import Linux
import TestKit
import Testing

@testable import PodNetwork

@Suite("Ranges of addresses, and small things that are read")
struct RangeTests {
    @Test("ranges of both families", arguments: ["10.88.0.0/16", "fd6b:1:2::/64", "192.168.7.128/25", "fd00::/126"])
    func good(text: String) throws {
        #expect(Subnet(text)?.text == text)
    }

    @Test(
        "what is no range of addresses for pods",
        arguments: [
            "", "10.0.0.0", "10.0.0/8", "10.0.0.0/31", "10.0.0.0/0", "10.0.0.0/+8", "256.0.0.0/8", "fd00::/127",
            "fd00::/64/1", "fd00:::/64", "::1", "a.b.c.d/8",
        ])
    func bad(text: String) { #expect(Subnet(text) == nil) }

    @Test("ranges overlap within their family, and host bits don't count")
    func overlap() throws {
        func range(_ text: String) throws -> Subnet { try #require(Subnet(text)) }
        let (one, six) = (try range("10.88.3.4/16"), try range("fd6b:1:2:3::5/64"))
        #expect(one.text == "10.88.0.0/16" && six.text == "fd6b:1:2:3::/64")
        #expect(try one.overlaps(range("10.88.9.0/24")))
        #expect(try !one.overlaps(range("10.89.0.0/16")))
        #expect(try six.overlaps(range("fd6b::/16")))
        #expect(try !six.overlaps(range("fd6b:1:2:4::/64")))
        #expect(!one.overlaps(six))
    }

    @Test("lists as Kubernetes writes them")
    func lists() {
        #expect(Subnet.list("10.1.0.0/24,fd00::/64")?.map(\.family) == [.ipv4, .ipv6])
        #expect(Subnet.list("fd00::/64, 10.1.0.0/24")?.map(\.family) == [.ipv6, .ipv4])
        for bad in ["", ",", "10.1.0.0/24,", "10.1.0.0/24,10.2.0.0/24", "10.1.0.0/24,fd00::/64,fd01::/64"] {
            #expect(Subnet.list(bad) == nil)
        }
    }

    @Test("bytes become base64 and bytes again")
    func base64() {
        for (text, encoded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob>?~", "Zm9vYj4/fg==")] {
            #expect(Base64.encode(Array(text.utf8)) == encoded)
            #expect(Base64.decode(encoded) == Array(text.utf8))
        }
        for bad in ["Zg=", "Zg", "Z===", "====", "Zm9v!Zm9", "Zg==Zg=="] { #expect(Base64.decode(bad) == nil) }
    }

    @Test("versions are numbers, not texts")
    func versions() throws {
        let (ten, nine) = (try #require(SpecVersion("0.10.0")), try #require(SpecVersion("0.9.1")))
        #expect(nine < ten && ten.text == "0.10.0")
        for bad in ["", "1", "1.0", "1.0.0.0", "1.0.x", "1..0", "-1.0.0", "+1.0.0"] { #expect(SpecVersion(bad) == nil) }
    }

    @Test("ranges that a cluster gives count once no pod is in the way, also in the next life", .needs(.root))
    func given() async throws {
        try await Scratch.use { scratch in
            let plugins = try ScriptedPlugins(scratch)
            for name in ["bridge", "host-local", "portmap"] {
                try plugins.plugin(name, "[ $CNI_COMMAND != ADD ] || echo '\(ScriptedPlugins.result)'")
            }
            var configuration = plugins.configuration
            configuration.bridge = "kst" + scratch.path.suffix(6)
            configuration.podCIDR6 = "fd6b:7374::/64"
            let network = PodNetwork(configuration: configuration, logger: RealNetwork.quiet)
            await #expect(throws: NetworkError.self) { try await network.use(podCIDR: "10.1.2.0") }
            _ = try await network.attach(plugins.attachment("s1"))
            try await network.use(podCIDR: "10.199.1.0/24,fd99::/64")
            func ranges(_ of: PodNetwork) async throws -> [String] { try await of.ranges().map(\.text) }
            #expect(try await ranges(network)[0] == "10.88.0.0/16")
            try await network.detach(sandbox: "s1")
            _ = try await network.attach(plugins.attachment("s2"))
            #expect(try await ranges(network) == ["10.199.1.0/24", "fd99::/64"])
            let given = try plugins.input("bridge", "ADD")["ipam"]?["ranges"]
            #expect(given == [[["subnet": "10.199.1.0/24"]], [["subnet": "fd99::/64"]]])
            let next = PodNetwork(configuration: configuration, logger: RealNetwork.quiet)
            #expect(try await ranges(next) == ["10.199.1.0/24", "fd99::/64"])
            // Who writes another range into the configuration means it.
            configuration.podCIDR = "10.77.0.0/16"
            let other = PodNetwork(configuration: configuration, logger: RealNetwork.quiet)
            #expect(try await ranges(other)[0] == "10.77.0.0/16")
            try await next.tearDown()
        }
    }
}
