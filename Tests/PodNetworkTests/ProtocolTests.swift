import Glibc
import JSON
import Linux
import TestKit
import Testing

@testable import PodNetwork

@Suite("What CNI 1.1 asks of a runtime")
struct ProtocolTests {
    private static let give = "[ $CNI_COMMAND != ADD ] || echo '\(ScriptedPlugins.result)'"

    private func withPlugins(_ body: (ScriptedPlugins) async throws -> Void) async throws {
        try await Scratch.use { scratch in try await body(ScriptedPlugins(scratch)) }
    }

    private func list(_ version: String, _ more: String = "", plugins: String = #"{"type":"one"}"#) -> String {
        #"{"cniVersion":"\#(version)","name":"net1"\#(more),"plugins":[\#(plugins)]}"#
    }

    @Test("what is attached lies where the CNI library's cache has it, in its form")
    func cache() async throws {
        try await withPlugins { plugins async throws in
            try plugins.conflist(list("1.0.0", plugins: #"{"type":"one","capabilities":{"portMappings":true}}"#))
            try plugins.plugin("one", Self.give)
            _ = try await plugins.network.attach(
                plugins.attachment(ports: [PortMapping(hostPort: 80, containerPort: 8080)]))
            let path = plugins.configuration.cacheDir + "/net1-s1-eth0"
            let cached = try JSONValue.parse(try File.read(path, limit: 1 << 20))
            #expect(cached["kind"] == "cniCacheV1" && cached["containerId"] == "s1" && cached["ifName"] == "eth0")
            #expect(cached["networkName"] == "net1" && cached["netns"] == "/proc/self/ns/net")
            #expect(cached["cniArgs"]?[1] == ["K8S_POD_NAMESPACE", "team"])
            #expect(cached["capabilityArgs"]?["portMappings"]?[0]?["hostPort"] == 80)
            #expect(cached["result"]?["ips"]?[0]?["address"] == "10.9.8.7/24")
            let decoded = try await Command(["base64", "-d"]).run(input: cached["config"]?.stringValue ?? "")
            let config = try JSONValue.parse(Array(decoded.output.utf8))
            #expect(config["name"] == "net1" && config["plugins"]?[0]?["type"] == "one")
            #expect(try FileStatus(path).permissions == 0o600)
        }
    }

    @Test("DEL needs no configuration any more: what was used is remembered")
    func configurationGone() async throws {
        try await withPlugins { plugins async throws in
            try plugins.conflist(list("1.0.0", plugins: #"{"type":"one","mine":1},{"type":"two"}"#))
            for name in ["one", "two"] { try plugins.plugin(name, Self.give) }
            _ = try await plugins.network.attach(plugins.attachment())
            try File.remove(plugins.configuration.confDir + "/10-test.conflist")
            try await plugins.network.detach(sandbox: "s1")
            #expect(plugins.verbs == ["one ADD", "two ADD", "two DEL", "one DEL"])
            #expect(try plugins.input("one", "DEL")["mine"] == 1)
        }
    }

    @Test("the newest version that the configuration offers and all plugins speak is taken, each program asked once")
    func negotiation() async throws {
        try await withPlugins { plugins async throws in
            let versions = #","cniVersions":["0.4.0","1.0.0","1.1.0","7.0.0"]"#
            try plugins.conflist(list("0.4.0", versions, plugins: #"{"type":"one"},{"type":"two"}"#))
            try plugins.plugin("one", versions: ["0.4.0", "1.0.0", "1.1.0"], Self.give)
            try plugins.plugin("two", versions: ["0.4.0", "1.0.0"], Self.give)
            let network = plugins.network
            for sandbox in ["s1", "s2", "s3"] { _ = try await network.attach(plugins.attachment(sandbox)) }
            #expect(try plugins.input("one", "ADD")["cniVersion"] == "1.0.0")
            func asked(_ name: String) throws -> Int {
                try File.read(plugins.scratch.file(name + ".versions"), limit: 1024).count
            }
            #expect(try asked("one") == 1 && asked("two") == 1)
            // Another program of the same name is asked anew.
            try plugins.plugin("two", versions: ["0.4.0", "1.0.0", "1.1.0"], Self.give + " # newer")
            _ = try await network.attach(plugins.attachment("s4"))
            #expect(try plugins.input("one", "ADD")["cniVersion"] == "1.1.0")
            #expect(try asked("one") == 1 && asked("two") == 2)
        }
    }

    @Test("a plugin that doesn't speak the network's version keeps the network from being ready, and is named")
    func otherVersion() async throws {
        try await withPlugins { plugins async throws in
            try plugins.conflist(list("1.1.0"))
            try plugins.plugin("one", versions: ["0.4.0", "1.0.0"], Self.give)
            let status = await plugins.network.status()
            #expect(!status.ready)
            #expect(
                status.message
                    == "pod network: plugin one of net1: it doesn't speak cniVersion 1.1.0, only 0.4.0, 1.0.0")
        }
    }

    @Test("STATUS decides whether the network is ready, from 1.1.0 on", arguments: ["1.0.0", "1.1.0"])
    func status(version: String) async throws {
        try await withPlugins { plugins async throws in
            try plugins.conflist(list(version))
            let refusal = #"{"cniVersion":"1.1.0","code":50,"msg":"no daemon","details":"it sleeps"}"#
            try plugins.plugin("one", "[ $CNI_COMMAND != STATUS ] || { echo '\(refusal)'; exit 1; }")
            let status = await plugins.network.status()
            #expect(status.ready == (version == "1.0.0"))
            if version == "1.1.0" {
                #expect(
                    status.message == "pod network: plugin one of net1: STATUS: no daemon; it sleeps (code 50)")
                #expect(plugins.calls == ["one STATUS   "])
            }
        }
    }

    @Test(
        "GC names what is still attached, from 1.1.0 on and unless it is switched off", arguments: ["on", "off", "old"])
    func garbage(how: String) async throws {
        try await withPlugins { plugins async throws in
            let more = how == "off" ? #","disableGC":true"# : ""
            try plugins.conflist(list(how == "old" ? "1.0.0" : "1.1.0", more))
            try plugins.plugin("one", Self.give)
            for sandbox in ["s1", "s2", "s3"] { _ = try await plugins.network.attach(plugins.attachment(sandbox)) }
            let network = plugins.network
            await network.collectGarbage(await network.forgotten(keep: ["s1", "s3"]))
            #expect(plugins.verbs.suffix(how == "on" ? 2 : 1) == (how == "on" ? ["one DEL", "one GC"] : ["one DEL"]))
            guard how == "on" else { return }
            let input = try plugins.input("one", "GC")
            let left: JSONValue = [
                ["containerID": "s1", "ifname": "eth0"], ["containerID": "s3", "ifname": "eth0"],
            ]
            #expect(input["cni.dev/valid-attachments"] == left && input["cniVersion"] == "1.1.0")
            #expect(input["prevResult"] == nil && input["name"] == "net1")
        }
    }

    @Test("a sandbox that comes while garbage is collected waits: its address isn't taken for garbage")
    func garbageAndAttach() async throws {
        // Checked: without the wait the ADD is among the DELs, while garbage is collected.
        try await withPlugins { plugins async throws in
            try plugins.conflist(list("1.1.0"))
            let (began, go) = (plugins.scratch.file("began"), plugins.scratch.file("go"))
            _ = try await Command(["mkfifo", go]).run()
            try plugins.plugin(
                "one",
                Self.give + "\n[ $CNI_COMMAND != GC ] || { touch \(began); read x < \(go); echo done >> \(began); }")
            let network = plugins.network
            for sandbox in ["s2", "s3", "s4"] { _ = try await network.attach(plugins.attachment(sandbox)) }
            let collecting = Task { await network.collectGarbage([]) }
            try await eventually("garbage is collected") { File.exists(began) }
            let attachment = plugins.attachment()
            let attaching = Task { try await network.attach(attachment) }
            // Taking away goes on meanwhile, and takes three times as long as the ADD would.
            for sandbox in ["s2", "s3", "s4"] { try await network.detach(sandbox: sandbox) }
            #expect(plugins.verbs.dropFirst(3) == ["one GC", "one DEL", "one DEL", "one DEL"])
            try plugins.scratch.write("go", "\n")
            _ = try await attaching.value
            await collecting.value
            #expect(plugins.verbs.last == "one ADD")
            #expect(try File.readText(began) == "done\n")
        }
    }

    @Test("what a plugin could not take away at first is swept after it could")
    func sweepAfterTrouble() async throws {
        try await withPlugins { plugins async throws in
            try plugins.conflist(list("1.1.0"))
            let broken = plugins.scratch.file("broken")
            try plugins.scratch.write("broken", "")
            try plugins.plugin("one", Self.give + "\n[ $CNI_COMMAND != DEL ] || [ ! -e \(broken) ]")
            let network = plugins.network
            _ = try await network.attach(plugins.attachment())
            await #expect(throws: NetworkError.self) { try await network.detach(sandbox: "s1") }
            try File.remove(broken)
            try await network.detach(sandbox: "s1")
            try await eventually("the plugin has swept") { plugins.verbs.last == "one GC" }
        }
    }

    @Test("each plugin gets what it has declared that it can use, and no more")
    func capabilities() async throws {
        try await withPlugins { plugins async throws in
            let capabilities = [
                #""bandwidth":true"#, #""dns":true"#, #""cgroupPath":true"#, #""portMappings":false"#,
                #""io.kubernetes.cri.pod-annotations":true"#,
            ]
            try plugins.conflist(
                list(
                    "1.0.0",
                    plugins: #"{"type":"one","capabilities":{\#(capabilities.joined(separator: ","))}},{"type":"two"}"#)
            )
            for name in ["one", "two"] { try plugins.plugin(name, Self.give) }
            var attachment = plugins.attachment(ports: [PortMapping(hostPort: 80, containerPort: 8080)])
            attachment.bandwidth = Bandwidth(ingress: 1_000_000, egress: nil)
            attachment.dns = PodDNS(servers: ["10.0.0.10"], searches: ["svc.local"], options: ["ndots:5"])
            attachment.annotations = ["b": "2", "a": "1"]
            attachment.cgroupParent = "/kubepods/pod1"
            _ = try await plugins.network.attach(attachment)
            let wanted: JSONValue = [
                "bandwidth": ["ingressRate": 1_000_000, "ingressBurst": 4_294_967_295],
                "dns": ["servers": ["10.0.0.10"], "searches": ["svc.local"], "options": ["ndots:5"]],
                "io.kubernetes.cri.pod-annotations": ["a": "1", "b": "2"], "cgroupPath": "/kubepods/pod1",
            ]
            #expect(try plugins.input("one", "ADD")["runtimeConfig"] == wanted)
            #expect(try plugins.input("two", "ADD")["runtimeConfig"] == nil)
            // Another life of the node has it still, and sees that it is the same attachment.
            _ = try await plugins.network.attach(attachment)
            try await plugins.network.detach(sandbox: "s1")
            #expect(plugins.verbs == ["one ADD", "two ADD", "two DEL", "one DEL"])
            #expect(try plugins.input("one", "DEL")["runtimeConfig"] == wanted)
        }
    }

    @Test(
        "plugins beside the file, in a directory of the network's name, come after those within",
        arguments: [true, false])
    func besides(inlinedOnly: Bool) async throws {
        try await withPlugins { plugins async throws in
            try plugins.conflist(list("1.1.0", #","loadOnlyInlinedPlugins":\#(inlinedOnly)"#))
            _ = try plugins.scratch.directory("net.d/net1")
            try plugins.conflist(#"{"type":"two","mine":2}"#, "net1/20-two.conf")
            try plugins.conflist("not looked at", "net1/readme.txt")
            for name in ["one", "two"] { try plugins.plugin(name, Self.give) }
            _ = try await plugins.network.attach(plugins.attachment())
            #expect(plugins.verbs == (inlinedOnly ? ["one ADD"] : ["one ADD", "two ADD"]))
        }
    }

    @Test("CHECK asks every plugin with the last result, unless it is switched off or older than CHECK")
    func check() async throws {
        try await withPlugins { plugins async throws in
            let bad = Self.give + "\n[ $CNI_COMMAND != CHECK ] || { echo '{\"code\":7,\"msg\":\"no route\"}'; exit 1; }"
            try plugins.plugin("one", bad)
            for (text, complains) in [
                (list("1.0.0"), true), (list("1.0.0", #","disableCheck":true"#), false), (list("0.3.1"), false),
            ] {
                try plugins.conflist(text)
                let network = plugins.network
                _ = try await network.attach(plugins.attachment())
                var failure: NetworkError?
                do { try await network.check(sandbox: "s1") } catch let error as NetworkError { failure = error }
                #expect(
                    failure?.description
                        == (complains ? "network of pod team/web: plugin one of net1: CHECK: no route (code 7)" : nil))
                if complains { #expect(try plugins.input("one", "CHECK")["prevResult"]?["ips"] != nil) }
                try await network.detach(sandbox: "s1")
                // DEL is told the last result from 0.4.0 on.
                #expect(try (plugins.input("one", "DEL")["prevResult"] != nil) == !text.contains("0.3.1"))
            }
            await #expect(throws: NetworkError.self) { try await plugins.network.check(sandbox: "s1") }
        }
    }

    @Test("a plugin that knows nothing of the sandbox has nothing to clean up (code 3)")
    func unknownContainer() async throws {
        try await withPlugins { plugins async throws in
            try plugins.conflist(list("1.0.0"))
            try plugins.plugin(
                "one", Self.give + "\n[ $CNI_COMMAND != DEL ] || { echo '{\"code\":3,\"msg\":\"unknown\"}'; exit 1; }")
            _ = try await plugins.network.attach(plugins.attachment())
            try await plugins.network.detach(sandbox: "s1")
            #expect(try Directory.names(plugins.configuration.cacheDir) == [])
        }
    }

    @Test("the oldest results are understood, too")
    func oldResult() async throws {
        try await withPlugins { plugins async throws in
            try plugins.conflist(#"{"name":"old","type":"one"}"#, "10-old.conf")
            try plugins.plugin(
                "one",
                #"[ $CNI_COMMAND != ADD ] || echo '{"ip4":{"ip":"10.1.1.2/24","gateway":"10.1.1.1"},"ip6":{"ip":"fd00::2/64"}}'"#
            )
            let result = try await plugins.network.attach(plugins.attachment())
            #expect(result.ips == ["10.1.1.2", "fd00::2"])
            #expect(try plugins.input("one", "ADD")["cniVersion"] == "0.1.0")
        }
    }
}
