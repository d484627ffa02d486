import Glibc
import Linux
import PodNetwork
import Testing

import struct PodNetwork.Attachment
import TestKit

@Suite("The default network on this host", .needs(.root, .cniPlugins, .iptables, .busybox), .serialized)
struct DefaultNetworkTests {
    @Test("pods reach each other, the host reaches pods, host ports lead to them, and all goes again")
    func life() async throws {
        try await RealNetwork.use(0) { real async throws in
            let status = await real.network.status()
            #expect(status.ready && status.message == "" && status.file == nil, "\(status)")
            let one = try await real.namespace("one")
            let two = try await real.namespace("two")
            let port = UInt16(20000 + Int(getpid()) % 10000)
            let first = try await real.network.attach(
                real.attachment("one", netns: one, ports: [PortMapping(hostPort: port, containerPort: 8080)]))
            let second = try await real.network.attach(real.attachment("two", netns: two))
            let prefix = real.configuration.podCIDR.dropLast("0/24".count)
            #expect(first.ip?.hasPrefix(prefix) == true && second.ip?.hasPrefix(prefix) == true)
            #expect(first.ip != second.ip)
            #expect(first.addresses[0].gateway == prefix + "1")
            #expect(first.mac != nil)
            try real.serve("one", in: one)
            try real.serve("two", in: two)
            let ip = try #require(first.ip)
            let other = try #require(second.ip)
            #expect(try await real.get(ip + ":8080") == "one")
            #expect(try await real.get(other + ":8080", from: one) == "two")
            #expect(try await real.get("\(prefix)1:\(port)") == "one")
            #expect(try await real.get("127.0.0.1:\(port)") == "one")
            #expect(try await real.get("\(prefix)1:\(port)", from: two) == "one")
            // Through its own host port and back.
            #expect(try await real.get("\(prefix)1:\(port)", from: one) == "one")
            try await real.network.check(sandbox: real.attachment("one", netns: one).sandbox)
            #expect(await real.network.result(sandbox: real.attachment("two", netns: two).sandbox) == second)

            try await real.network.detach(sandbox: real.attachment("one", netns: one).sandbox)
            let links = try await real.run("ip", "-n", String(one.dropFirst("/run/netns/".count)), "-br", "link")
            #expect(!links.contains("eth0"))
            #expect(try await !real.run("iptables", "-w", "-t", "nat", "-S").contains("dport \(port) "))
            // Again is success.
            try await real.network.detach(sandbox: real.attachment("one", netns: one).sandbox)
            #expect(await real.network.result(sandbox: real.attachment("one", netns: one).sandbox) == nil)
        }
    }

    @Test("a second attach gives the first one's result, also from a new life of the node, which can detach too")
    func restart() async throws {
        try await RealNetwork.use(1) { real async throws in
            let netns = try await real.namespace("one")
            let attachment = real.attachment(
                "one", netns: netns, ports: [PortMapping(hostPort: 19999, containerPort: 80)])
            let result = try await real.network.attach(attachment)
            #expect(try await real.network.attach(attachment) == result)
            let again = PodNetwork(configuration: real.configuration, logger: RealNetwork.quiet)
            #expect(try await again.attach(attachment) == result)
            try await again.detach(sandbox: attachment.sandbox)
            #expect(try Directory.names(real.configuration.cacheDir) == [])
            #expect(try await !real.run("iptables", "-w", "-t", "nat", "-S").contains("dport 19999 "))
        }
    }

    @Test("detach works when the namespace is gone, and gives the address back")
    func namespaceGone() async throws {
        try await RealNetwork.use(2) { real async throws in
            let netns = try await real.namespace("one")
            let attachment = real.attachment(
                "one", netns: netns, ports: [PortMapping(hostPort: 19998, containerPort: 80)])
            let result = try await real.network.attach(attachment)
            try await real.run("ip", "netns", "del", String(netns.dropFirst("/run/netns/".count)))
            let addresses = real.configuration.dataDir + "/" + real.configuration.bridge
            let ip = try #require(result.ip)
            #expect(try Directory.names(addresses).contains(ip))
            try await real.network.detach(sandbox: attachment.sandbox)
            #expect(try !Directory.names(addresses).contains(ip))
            #expect(try await !real.run("iptables", "-w", "-t", "nat", "-S").contains("dport 19998 "))
        }
    }

    @Test("an attach that fails takes back what it made, and says why")
    func failure() async throws {
        try await RealNetwork.use(3) { real async throws in
            let attachment = real.attachment("one", netns: "/run/netns/kubesim-there-is-none")
            let error = await #expect(throws: NetworkError.self) { try await real.network.attach(attachment) }
            let text = error?.description ?? ""
            #expect(
                text.hasPrefix("network of pod default/one: plugin bridge of \(real.configuration.bridge): ADD: "),
                "\(text)")
            #expect(text.contains("/run/netns/kubesim-there-is-none"))
            #expect(try Directory.names(real.configuration.cacheDir) == [])
            let addresses = (try? Directory.names(real.configuration.dataDir + "/" + real.configuration.bridge)) ?? []
            #expect(addresses.filter { $0.hasPrefix("10.") } == [])
        }
    }

    @Test("many pods at once each get an address of their own; what isn't kept is collected")
    func many() async throws {
        try await RealNetwork.use(4) { real async throws in
            var attachments: [Attachment] = []
            for index in 0..<8 {
                let netns = try await real.namespace("p\(index)")
                attachments.append(real.attachment("p\(index)", netns: netns))
            }
            let network = real.network
            let ips = try await withThrowingTaskGroup(of: String?.self) { group in
                for attachment in attachments {
                    // Twice each: calls for one sandbox take turns.
                    for _ in 0..<2 { group.addTask { try await network.attach(attachment).ip } }
                }
                return try await group.reduce(into: [String?]()) { $0.append($1) }
            }
            #expect(ips.count == 16 && Set(ips).count == 8)
            await network.collectGarbage(await network.forgotten(keep: [attachments[0].sandbox]))
            #expect(
                try Directory.names(real.configuration.cacheDir) == [
                    "\(real.configuration.bridge)-\(attachments[0].sandbox)-eth0"
                ])
        }
    }

    @Test("rules that a firewall's reload took away come back with the next look")
    func reload() async throws {
        try await RealNetwork.use(5) { real async throws in
            func count() async throws -> Int {
                try await real.run("iptables", "-w", "-t", "nat", "-S").split(separator: "\n")
                    .filter { $0.contains("kubesim \(real.configuration.bridge)") }.count
            }
            _ = await real.network.status()
            #expect(try await count() == 1)
            let chain = "KUBESIM-" + real.configuration.bridge
            try await real.run(
                "iptables", "-w", "-t", "nat", "-D", "POSTROUTING", "-s", real.configuration.podCIDR, "-m", "comment",
                "--comment", "kubesim " + real.configuration.bridge, "-j", chain)
            #expect(try await count() == 0)
            // Which the kubelet asks for every few seconds.
            _ = await real.network.status()
            #expect(try await count() == 1)
        }
    }

    @Test("a range that another interface has is refused before any pod finds out")
    func overlap() async throws {
        try await RealNetwork.use(6) { real async throws in
            let netns = try await real.namespace("one")
            _ = try await real.network.attach(real.attachment("one", netns: netns))
            var other = real.configuration
            other.bridge = real.configuration.bridge + "b"
            other.cacheDir = real.scratch.file("other")
            let status = await PodNetwork(configuration: other, logger: RealNetwork.quiet).status()
            #expect(!status.ready)
            #expect(status.message.contains("overlaps with \(other.podCIDR) of interface \(real.configuration.bridge)"))
        }
    }

    @Test("where the host has IPv6 pods have an address of each family, and are reached by both", .needs(.ip6tables))
    func dualStack() async throws {
        try await RealNetwork.use(7, dualStack: true) { real async throws in
            #expect(await real.network.status().ready)
            let one = try await real.namespace("one")
            let two = try await real.namespace("two")
            let port = UInt16(20000 + (Int(getpid()) + 5000) % 10000)
            let first = try await real.network.attach(
                real.attachment("one", netns: one, ports: [PortMapping(hostPort: port, containerPort: 8080)]))
            _ = try await real.network.attach(real.attachment("two", netns: two))
            let prefix = try #require(real.configuration.podCIDR6?.dropLast("/64".count))
            // A bridge that the plugin makes asks around for two seconds whether somebody has its address.
            let gateway = try await real.run("ip", "-6", "address", "show", "dev", real.configuration.bridge)
            #expect(gateway.contains(prefix + "1/64") && !gateway.contains("tentative"), "\(gateway)")
            try #require(first.addresses.count == 2)
            #expect(first.addresses[0].ip.hasPrefix("10.") && first.addresses[1].ip.hasPrefix(prefix))
            #expect(first.addresses[1].gateway == prefix + "1")
            try real.serve("one", in: one)
            #expect(try await real.get(first.addresses[0].ip + ":8080", from: two) == "one")
            #expect(try await real.get(first.addresses[1].ip + ":8080", from: two) == "one")
            #expect(try await real.get(first.addresses[1].ip + ":8080") == "one")
            // The host's port, in both families.
            #expect(try await real.get("\(first.addresses[0].gateway ?? ""):\(port)", from: two) == "one")
            #expect(try await real.get("\(prefix)1:\(port)", from: two) == "one")
            let routes = try await real.run("ip", "-n", String(one.dropFirst("/run/netns/".count)), "-6", "route")
            #expect(routes.contains("default via \(prefix)1"))
            let rules = try await real.run("ip6tables", "-w", "-t", "nat", "-S")
            #expect(rules.contains("-s \(prefix)/64") && rules.contains("kubesim \(real.configuration.bridge)"))
            try await real.network.check(sandbox: real.attachment("one", netns: one).sandbox)
        }
    }

    @Test("host ports of one address and of each protocol lead to the pod, and go with it")
    func hostPorts() async throws {
        try await RealNetwork.use(0) { real async throws in
            let netns = try await real.namespace("one")
            let mappings = [
                PortMapping(hostPort: 21001, containerPort: 81, transport: .tcp, hostIP: "127.0.0.2"),
                PortMapping(hostPort: 21002, containerPort: 82, transport: .udp),
                PortMapping(hostPort: 21003, containerPort: 83, transport: .sctp, hostIP: "127.0.0.3"),
            ]
            let attachment = real.attachment("one", netns: netns, ports: mappings)
            let result = try await real.network.attach(attachment)
            let ip = try #require(result.ip)
            let rules = try await real.run("iptables", "-w", "-t", "nat", "-S").split(separator: "\n")
            for (mapping, wanted) in zip(
                mappings,
                [
                    "-d 127.0.0.2/32 -p tcp -m tcp --dport 21001", "-p udp -m udp --dport 21002",
                    "-d 127.0.0.3/32 -p sctp -m sctp --dport 21003",
                ])
            {
                #expect(
                    rules.contains {
                        $0.contains(wanted) && $0.hasSuffix("-j DNAT --to-destination \(ip):\(mapping.containerPort)")
                    }, "\(mapping): \(rules)")
            }
            try await real.network.detach(sandbox: attachment.sandbox)
            let left = try await real.run("iptables", "-w", "-t", "nat", "-S")
            for port in 21001...21003 { #expect(!left.contains("dport \(port)")) }
        }
    }

    @Test("a pod's bandwidth is kept by the kernel, and its queue goes with it")
    func bandwidth() async throws {
        try await RealNetwork.use(1) { real async throws in
            let netns = try await real.namespace("one")
            var attachment = real.attachment("one", netns: netns)
            attachment.bandwidth = Bandwidth(ingress: 8_000_000, egress: 4_000_000)
            let result: NetworkResult
            do {
                result = try await real.network.attach(attachment)
            } catch let error as NetworkError where error.plugin == "bandwidth" {
                // A kernel without the token bucket or the ifb device says so, and the pod isn't half made.
                #expect(error.description.contains("plugin bandwidth of \(real.configuration.bridge): ADD: "))
                #expect(try Directory.names(real.configuration.cacheDir) == [])
                return
            }
            let host = try #require(result.interfaces.first { $0.sandbox.isEmpty && $0.name.hasPrefix("veth") })
            let queue = try await real.run("tc", "qdisc", "show", "dev", host.name)
            #expect(queue.contains("tbf") && queue.contains("rate 8Mbit"))
        }
    }
}
