import Glibc
import Linux
import Logging
import PodNetwork
import Testing

import struct PodNetwork.Attachment
import TestKit

/// A pod network of a test's own: its bridge and its range are no other's.
struct RealNetwork {
    let network: PodNetwork
    let configuration: NetworkConfiguration
    let scratch: Scratch

    /// Gives the body a network, takes it down after, and proves that the host is as it was.
    static func use(_ slot: Int, dualStack: Bool = false, _ body: (RealNetwork) async throws -> Void) async throws {
        try await Scratch.use { scratch in
            let number = (Int(getpid()) * 8 + slot) % 4096
            var configuration = NetworkConfiguration(
                confDir: scratch.file("net.d"), cacheDir: scratch.file("results"), dataDir: scratch.file("addresses"),
                podCIDR: "10.\(200 + number / 256).\(number % 256).0/24", bridge: "kst\(number)")
            if dualStack { configuration.podCIDR6 = "fd6b:7374:\(String(number, radix: 16))::/64" }
            configuration.pluginDeadline = .seconds(20)
            let made = RealNetwork(
                network: PodNetwork(configuration: configuration, logger: quiet), configuration: configuration,
                scratch: scratch)
            var failure: (any Error)?
            do { try await body(made) } catch { failure = error }
            try await made.network.tearDown()
            if let failure { throw failure }
            try await made.expectNothingLeft()
        }
    }

    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Makes a network namespace with loopback up; it goes with the scratch directory.
    func namespace(_ name: String) async throws -> String {
        let full = "\(configuration.bridge)-\(name)"
        try await run("ip", "netns", "add", full)
        scratch.atEnd { _ = try? await Command(["ip", "netns", "del", full]).run() }
        try await run("ip", "-n", full, "link", "set", "lo", "up")
        return "/run/netns/" + full
    }

    func attachment(_ name: String, netns: String, ports: [PortMapping] = []) -> Attachment {
        Attachment(
            sandbox: "\(configuration.bridge)-\(name)", netns: netns, podNamespace: "default", podName: name,
            podUID: "uid-" + name,
            portMappings: ports)
    }

    /// A web server inside a namespace that answers with `answer` on port 8080.
    func serve(_ answer: String, in netns: String) throws {
        let folder = try scratch.directory("www-" + answer)
        try scratch.write("www-\(answer)/index.html", answer)
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(null) }
        let name = String(netns.dropFirst("/run/netns/".count))
        let pid = try Command(["ip", "netns", "exec", name, "busybox", "httpd", "-f", "-p", "8080", "-h", folder])
            .start(output: null, errors: null)
        scratch.atEnd {
            kill(pid, SIGKILL)
            _ = Command.wait(for: pid)
        }
    }

    /// Asks `host:port` until there is an answer; the host may be an IPv6 address.
    func get(_ address: String, from netns: String? = nil) async throws -> String {
        var answer = ""
        let port = address.split(separator: ":").last ?? ""
        let host = address.dropLast(port.count + 1)
        let prefix = netns.map { ["ip", "netns", "exec", String($0.dropFirst("/run/netns/".count))] } ?? []
        try await eventually("http://\(address)/ answers") {
            let script = """
                exec 3<>/dev/tcp/\(host)/\(port)
                printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3
                sed '1,/^.$/d' <&3
                """
            let outcome = try await Command(prefix + ["timeout", "5", "bash", "-c", script]).run()
            answer = outcome.output
            return outcome.code == 0
        }
        return answer
    }

    @discardableResult
    func run(_ arguments: String...) async throws -> String {
        let outcome = try await Command(arguments).run()
        try #require(outcome.code == 0, "\(arguments): \(outcome.errors)")
        return outcome.output
    }

    /// No link, no rule, no file.
    func expectNothingLeft() async throws {
        #expect(!File.exists("/sys/class/net/" + configuration.bridge))
        for program in ["iptables"] + (Feature.ip6tables.isPresent ? ["ip6tables"] : []) {
            for table in ["nat", "filter"] {
                let rules = try await run(program, "-w", "-t", table, "-S")
                #expect(!rules.contains(configuration.bridge), "\(rules)")
                #expect(!rules.contains(configuration.podCIDR), "\(rules)")
            }
        }
        #expect(!File.exists(configuration.cacheDir))
        #expect(!File.exists(configuration.dataDir))
    }
}
