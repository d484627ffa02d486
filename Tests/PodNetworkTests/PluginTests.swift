import Glibc
import Linux
import PodNetwork
import TestKit
import Testing

@Suite("Plugins as the CNI specification wants them called")
struct PluginTests {
    private let chain = """
        {"cniVersion":"1.0.0","name":"net1","plugins":[
        {"type":"first","custom":[1,18446744073709551615]},
        {"type":"second","capabilities":{"portMappings":true}}]}
        """

    private func withPlugins(_ body: (ScriptedPlugins) async throws -> Void) async throws {
        try await Scratch.use { scratch in try await body(ScriptedPlugins(scratch)) }
    }

    @Test("ADD in order with the result handed on, DEL in reverse with the last result, records in between")
    func chaining() async throws {
        try await withPlugins { plugins async throws in
            try plugins.conflist(chain)
            try plugins.plugin("first", "[ $CNI_COMMAND != ADD ] || echo '\(ScriptedPlugins.result)'")
            try plugins.plugin(
                "second", "[ $CNI_COMMAND != ADD ] || echo '\(ScriptedPlugins.result)' | sed s/10.9.8.7/10.9.8.9/")
            let attachment = plugins.attachment(
                ports: [PortMapping(hostPort: 80, containerPort: 8080, transport: .udp, hostIP: "127.0.0.1")])
            let result = try await plugins.network.attach(attachment)
            #expect(result.addresses == [.init(cidr: "10.9.8.9/24", gateway: "10.9.8.1")])
            #expect(result.mac == "aa:bb" && result.nameservers == ["1.1.1.1"] && result.network == "net1")
            // Another life of the node, and a configuration that has changed meanwhile.
            try plugins.conflist(#"{"cniVersion":"1.0.0","name":"other","plugins":[{"type":"none"}]}"#)
            try await plugins.network.check(sandbox: "s1")
            try await plugins.network.detach(sandbox: "s1")
            #expect(
                plugins.calls.map { $0.split(separator: " ").prefix(2).joined(separator: " ") } == [
                    "first ADD", "second ADD", "first CHECK", "second CHECK", "second DEL", "first DEL",
                ])
            #expect(plugins.calls[0] == "first ADD s1 /proc/self/ns/net eth0")
            func input(_ name: String) throws -> String { try File.readText(plugins.scratch.file(name)) }
            #expect(
                try input("first.ADD")
                    == #"{"type":"first","custom":[1,18446744073709551615],"cniVersion":"1.0.0","name":"net1"}"#)
            let second = try input("second.ADD")
            #expect(second.contains(#""prevResult":{"cniVersion":"1.0.0""#) && second.contains("10.9.8.7/24"))
            #expect(
                second.contains(
                    #""runtimeConfig":{"portMappings":[{"hostPort":80,"containerPort":8080,"protocol":"udp","hostIP":"127.0.0.1"}]}"#
                ))
            #expect(!second.contains("capabilities"))
            #expect(try input("first.DEL").contains("10.9.8.9/24"))
            #expect(
                try input("first.args")
                    == "IgnoreUnknown=1;K8S_POD_NAMESPACE=team;K8S_POD_NAME=web;K8S_POD_INFRA_CONTAINER_ID=s1;K8S_POD_UID=u1"
            )
            #expect(try Directory.names(plugins.configuration.cacheDir) == [])
        }
    }

    @Test("plugins of a capability that nothing is asked of don't run, unless the configuration gives them work")
    func idle() async throws {
        try await withPlugins { plugins async throws in
            func list(_ bandwidth: String) -> String {
                #"{"cniVersion":"1.0.0","name":"n","plugins":[{"type":"first"},{"type":"portmap","capabilities":"#
                    + #"{"portMappings":true}},{"type":"bandwidth","capabilities":{"bandwidth":true}\#(bandwidth)}]}"#
            }
            for name in ["first", "portmap", "bandwidth"] {
                try plugins.plugin(name, "[ $CNI_COMMAND != ADD ] || echo '\(ScriptedPlugins.result)'")
            }
            try plugins.conflist(list(""))
            _ = try await plugins.network.attach(plugins.attachment())
            try await plugins.network.detach(sandbox: "s1")
            let ports = [PortMapping(hostPort: 80, containerPort: 8080, transport: .tcp, hostIP: nil)]
            _ = try await plugins.network.attach(plugins.attachment("s2", ports: ports))
            try await plugins.network.detach(sandbox: "s2")
            try plugins.conflist(list(#","ingressRate":1000,"ingressBurst":1000"#))
            _ = try await plugins.network.attach(plugins.attachment("s3"))
            #expect(
                plugins.verbs == [
                    "first ADD", "first DEL", "first ADD", "portmap ADD", "portmap DEL", "first DEL", "first ADD",
                    "bandwidth ADD",
                ])
        }
    }

    // Checked: opened as files are, the fifo is waited for without end, by every call about the network.
    @Test(
        "a fifo among the configurations holds up nobody, and an address that is none is no result",
        .timeLimit(.minutes(1)))
    func oddities() async throws {
        try await withPlugins { plugins async throws in
            #expect(mkfifo(plugins.scratch.file("net.d/00-fifo.conflist"), 0o600) == 0)
            try plugins.conflist(#"{"cniVersion":"1.0.0","name":"n","plugins":[{"type":"first"}]}"#)
            try plugins.plugin("first", "[ $CNI_COMMAND != ADD ] || echo '\(ScriptedPlugins.result)'")
            _ = try await plugins.network.attach(plugins.attachment())
            for address in ["999.1.2.3/99", "10.1.2.3", "10.1.2.3/33", "fe80::1/129", "10.1.2.3/24/1", "/24"] {
                try plugins.plugin(
                    "first", "[ $CNI_COMMAND != ADD ] || echo '{\"ips\":[{\"address\":\"\(address)\"}]}'")
                let failure = await #expect(throws: NetworkError.self) {
                    _ = try await plugins.network.attach(plugins.attachment("s2"))
                }
                #expect(failure?.reason.contains("an address that is none") == true, "\(address)")
            }
        }
    }

    @Test("a plugin's own words reach the reader, and what ran before it is undone")
    func pluginError() async throws {
        try await withPlugins { plugins async throws in
            try plugins.conflist(chain)
            try plugins.plugin("first", "[ $CNI_COMMAND != ADD ] || echo '\(ScriptedPlugins.result)'")
            try plugins.plugin(
                "second",
                #"[ $CNI_COMMAND != ADD ] || { echo noise >&2; echo '{"cniVersion":"1.0.0","code":11,"msg":"no port","details":"80 is taken"}'; exit 1; }"#
            )
            let error = await #expect(throws: NetworkError.self) {
                try await plugins.network.attach(plugins.attachment())
            }
            #expect(
                error?.description
                    == "network of pod team/web: plugin second of net1: ADD: no port; 80 is taken (code 11): noise")
            #expect(
                plugins.calls.map { $0.split(separator: " ").prefix(2).joined(separator: " ") } == [
                    "first ADD", "second ADD", "second DEL", "first DEL",
                ])
            #expect(try Directory.names(plugins.configuration.cacheDir) == [])
        }
    }

    @Test("a plugin that hangs is killed with its children at its deadline, and named", .timeLimit(.minutes(1)))
    func hang() async throws {
        // Checked: without the deadline it hangs until the test's time is up; with only itself killed its child lives on.
        try await withPlugins { plugins async throws in
            var plugins = plugins
            plugins.configuration.pluginDeadline = .milliseconds(300)
            try plugins.conflist(#"{"cniVersion":"1.0.0","name":"n","plugins":[{"type":"slow"}]}"#)
            let pidFile = plugins.scratch.file("child")
            try plugins.plugin("slow", "[ $CNI_COMMAND != ADD ] || { sleep 1000 & echo $! > \(pidFile); wait; }")
            let error = await #expect(throws: NetworkError.self) {
                try await plugins.network.attach(plugins.attachment())
            }
            #expect(error?.code == .deadline)
            #expect(
                error?.description.contains("plugin slow of n: ADD: it didn't end within 0.3 seconds and was killed")
                    == true
            )
            let child = try #require(pid_t(try File.readText(pidFile).split(separator: "\n").first ?? ""))
            try await eventually("the child has ended") {
                kill(child, 0) != 0 || (try? ProcessStat(pid: child).state) == "Z"
            }
        }
    }

    @Test("a plugin is ended, with its children, when nobody waits for its ADD any more", arguments: [true, false])
    func endedEarly(byTask: Bool) async throws {
        // Checked: without the stop the plugin runs to its deadline, and at the node's end for ever.
        try await Scratch.use { scratch in
            let plugins = try ScriptedPlugins(scratch)
            try plugins.plugin(
                "slow",
                """
                [ "$CNI_COMMAND" = ADD ] || exit 0
                sleep 1000 & echo $! > \(scratch.file("child")); wait
                """)
            try plugins.conflist(#"{"cniVersion":"1.0.0","name":"n","plugins":[{"type":"slow"}]}"#)
            let (network, attachment) = (plugins.network, plugins.attachment())
            let attaching = Task { try await network.attach(attachment) }
            try await eventually("the plugin runs") { File.exists(scratch.file("child")) }
            let child = try #require(
                Int32(try File.readText(scratch.file("child")).prefix { $0 != "\n" }))
            if byTask { attaching.cancel() } else { network.endPlugins() }
            let outcome = await attaching.result
            #expect(throws: NetworkError.self) { try outcome.get() }
            try await eventually("its child is gone") {
                kill(child, 0) != 0 || (try? File.readText("/proc/\(child)/stat"))?.contains(") Z ") ?? true
            }
            // What takes away is run all the same, unless the node itself ends.
            #expect(plugins.calls.contains { $0.hasPrefix("slow DEL") } == byTask)
        }
    }

    @Test("a plugin that writes without end is killed")
    func flood() async throws {
        try await withPlugins { plugins async throws in
            try plugins.conflist(#"{"cniVersion":"1.0.0","name":"n","plugins":[{"type":"loud"}]}"#)
            try plugins.plugin("loud", "[ $CNI_COMMAND != ADD ] || exec cat /dev/zero")
            let error = await #expect(throws: NetworkError.self) {
                try await plugins.network.attach(plugins.attachment())
            }
            #expect(error?.reason.contains("it wrote more than 1048576 bytes and was killed") == true)
        }
    }

    @Test("a plugin that leaves a daemon with its output open isn't waited for")
    func daemon() async throws {
        try await withPlugins { plugins async throws in
            try plugins.conflist(#"{"cniVersion":"1.0.0","name":"n","plugins":[{"type":"daemon"}]}"#)
            let pidFile = plugins.scratch.file("daemon.pid")
            try plugins.plugin(
                "daemon",
                "[ $CNI_COMMAND != ADD ] || { sleep 1000 & echo $! > \(pidFile); echo '\(ScriptedPlugins.result)'; }")
            let result = try await plugins.network.attach(plugins.attachment())
            #expect(result.ip == "10.9.8.7")
            kill(try #require(pid_t(try File.readText(pidFile).split(separator: "\n").first ?? "")), SIGKILL)
        }
    }

    @Test("a node that was killed between the plugins begins anew, and can detach")
    func killedHalfway() async throws {
        try await withPlugins { plugins async throws in
            try plugins.conflist(chain)
            try plugins.plugin("first", "[ $CNI_COMMAND != ADD ] || echo '\(ScriptedPlugins.result)'")
            try plugins.plugin("second", "exit 3")
            // DEL fails too: the record stays, as it does after a kill.
            await #expect(throws: NetworkError.self) { try await plugins.network.attach(plugins.attachment()) }
            #expect(try Directory.names(plugins.configuration.cacheDir) == ["net1-s1-eth0"])
            await #expect(throws: NetworkError.self) { try await plugins.network.detach(sandbox: "s1") }
            try plugins.plugin("second", "[ $CNI_COMMAND != ADD ] || echo '\(ScriptedPlugins.result)'")
            #expect(try await plugins.network.attach(plugins.attachment()).ip == "10.9.8.7")
            #expect(
                plugins.calls.suffix(4).map { $0.split(separator: " ").prefix(2).joined(separator: " ") } == [
                    "second DEL", "first DEL", "first ADD", "second ADD",
                ])
        }
    }

    @Test("a missing plugin is named with its remedy, in the status and in the error")
    func missing() async throws {
        try await withPlugins { plugins async throws in
            try plugins.conflist(
                #"{"cniVersion":"1.0.0","name":"n","plugins":[{"type":"first","ipam":{"type":"addresses"}}]}"#)
            try plugins.plugin("first", "")
            let status = await plugins.network.status()
            #expect(!status.ready && status.reason == "NetworkPluginNotReady")
            #expect(
                status.message
                    == "no program addresses in \(plugins.configuration.binDirs[0]); apt-get install containernetworking-plugins"
            )
        }
    }

    @Test(
        "a configuration that makes no sense is an error that names the file, and no default network takes its place",
        arguments: [
            ("{", "line 1"), ("[]", "it is no JSON object"),
            (#"{"cniVersion":"1.0.0","plugins":[]}"#, "name is missing"),
            (#"{"cniVersion":"9.0.0","name":"n","plugins":[{"type":"a"}]}"#, "cniVersion '9.0.0' is none of"),
            (#"{"cniVersion":"1.0.0","name":"n","plugins":[{"type":"../a"}]}"#, "type is missing or no program's name"),
            (#"{"cniVersion":"1.0.0","name":"n","plugins":[]}"#, "plugins is empty"),
        ])
    func badConfiguration(text: String, reason: String) async throws {
        try await withPlugins { plugins async throws in
            try plugins.conflist(text)
            let status = await plugins.network.status()
            #expect(!status.ready)
            #expect(status.message.hasPrefix(plugins.configuration.confDir + "/10-test.conflist: "))
            #expect(status.message.contains(reason), "\(status.message)")
        }
    }

    @Test("the first good file by name counts, a single plugin's file too")
    func choice() async throws {
        try await withPlugins { plugins async throws in
            try plugins.conflist("{", "00-bad.conflist")
            try plugins.conflist(#"{"cniVersion":"0.3.1","name":"single","type":"first"}"#, "05-single.conf")
            try plugins.conflist(chain, "10-chain.conflist")
            try plugins.conflist("not looked at", "00-readme.txt")
            try plugins.plugin("first", "[ $CNI_COMMAND != ADD ] || echo '\(ScriptedPlugins.result)'")
            let status = await plugins.network.status()
            #expect(status.ready && status.network == "single")
            #expect(status.file == plugins.configuration.confDir + "/05-single.conf")
        }
    }

    @Test("names that would leave their place are refused", arguments: ["", "../x", "a/b", ".hidden", "a;b", "a\0"])
    func badNames(name: String) async throws {
        try await withPlugins { plugins async throws in
            await #expect(throws: NetworkError.self) { try await plugins.network.attach(plugins.attachment(name)) }
            await #expect(throws: NetworkError.self) { try await plugins.network.detach(sandbox: name) }
            var attachment = plugins.attachment()
            attachment.podName = "x;K8S_POD_NAME=y"
            await #expect(throws: NetworkError.self) { try await plugins.network.attach(attachment) }
        }
    }
}
