import Glibc
import JSON
import Linux
import TestKit
import Testing

@testable import PodNetwork

@Suite("What a node that was killed leaves of the network")
struct NodeDeathTests {
    private let chain = #"{"cniVersion":"1.0.0","name":"net1","plugins":[{"type":"one"},{"type":"two"}]}"#
    private static let give = "[ $CNI_COMMAND != ADD ] || echo '\(ScriptedPlugins.result)'"

    /// A plugin that the killed node had started, as the node starts them: in a session of its own.
    private func orphan(_ plugins: ScriptedPlugins, verb: String, sandbox: String) throws -> Spawn.Child {
        let null = try File.open("/dev/null", O_RDWR)
        let program = plugins.configuration.binDirs[0] + "/hang"
        var spawn = Spawn(
            program, [program],
            environment: ["PATH=/usr/bin:/bin", "CNI_COMMAND=\(verb)", "CNI_CONTAINERID=\(sandbox)"])
        spawn.descriptors = [null.raw, null.raw, null.raw]
        spawn.newSession = true
        return try spawn.start()
    }

    private func isAlive(_ pid: pid_t) -> Bool {
        kill(pid, 0) == 0 && (try? ProcessStat(pid: pid).state) != "Z"
    }

    @Test(
        "a plugin that outlived the node is ended before anything else is done, with its children; a daemon is left alone"
    )
    func strays() async throws {
        // Checked: without the search they live on, without the kill of the group their children do; without the look at the
        // records, or at what those say, the daemon is killed.
        try await Scratch.use { scratch in
            let plugins = try ScriptedPlugins(scratch)
            let token = String(scratch.path.suffix(6))
            let (halfway, whole) = ("halfway" + token, "whole" + token)
            try plugins.conflist(chain)
            try plugins.plugin("one", Self.give)
            try plugins.plugin("two", Self.give)
            try plugins.plugin("hang", "sleep 1000 & echo $! > \(scratch.file("child"))$CNI_CONTAINERID; wait")
            _ = try await plugins.network.attach(plugins.attachment(whole))
            // As after a kill: the record of an attachment that never came to its end.
            try plugins.plugin("two", "exit 1")
            await #expect(throws: NetworkError.self) { try await plugins.network.attach(plugins.attachment(halfway)) }
            let add = try orphan(plugins, verb: "ADD", sandbox: halfway)
            let del = try orphan(plugins, verb: "DEL", sandbox: whole)
            let daemon = try orphan(plugins, verb: "ADD", sandbox: whole)
            let others = try orphan(plugins, verb: "ADD", sandbox: "others" + token)
            defer {
                for pid in [add.pid, del.pid, daemon.pid, others.pid] { kill(-pid, SIGKILL) }
                for child in [add.pid, del.pid, daemon.pid, others.pid] { _ = Command.wait(for: child) }
            }
            try await eventually("they run") {
                [halfway, whole, "others" + token].allSatisfy { File.exists(scratch.file("child" + $0)) }
            }
            let child = try #require(
                pid_t(try File.readText(scratch.file("child" + halfway)).prefix { !$0.isNewline }))
            await plugins.network.endStrays()
            #expect(!isAlive(add.pid) && !isAlive(del.pid))
            #expect(isAlive(daemon.pid) && isAlive(others.pid))
            try await eventually("its child has ended") { !isAlive(child) }
        }
    }

    @Test("a DEL that was cut off after any of its plugins is done again from the start", arguments: ["one", "two"])
    func halfDeleted(failing: String) async throws {
        try await Scratch.use { scratch in
            let plugins = try ScriptedPlugins(scratch)
            try plugins.conflist(chain)
            let broken = scratch.file("broken")
            for name in ["one", "two"] {
                try plugins.plugin(
                    name, Self.give + (name == failing ? "\n[ $CNI_COMMAND != DEL ] || [ ! -e \(broken) ]" : ""))
            }
            _ = try await plugins.network.attach(plugins.attachment())
            try scratch.write("broken", "")
            await #expect(throws: NetworkError.self) { try await plugins.network.detach(sandbox: "s1") }
            try File.remove(broken)
            // The next life of the node, which knows nothing but the record.
            let next = plugins.network
            #expect(await next.forgotten(keep: []) == ["s1"])
            await next.collectGarbage(["s1"])
            #expect(plugins.verbs.suffix(4) == ["two DEL", "one DEL", "two DEL", "one DEL"])
            #expect(try Directory.names(plugins.configuration.cacheDir) == [])
        }
    }

    @Test("plugins that hang hold up nobody else", .timeLimit(.minutes(1)))
    func manyHang() async throws {
        // Checked: when a place isn't given back before the end the tenth pod waits until the test's time is up.
        try await Scratch.use { scratch in
            var plugins = try ScriptedPlugins(scratch)
            plugins.configuration.pluginDeadline = .seconds(600)
            try plugins.conflist(#"{"cniVersion":"1.0.0","name":"n","plugins":[{"type":"one"}]}"#)
            try plugins.plugin(
                "one",
                "[ $CNI_COMMAND$CNI_CONTAINERID != ADDgood ] || { echo '\(ScriptedPlugins.result)'; exit; }\n"
                    + "[ $CNI_COMMAND != ADD ] || { echo >> \(scratch.file("hung")); sleep 1000; }")
            let network = plugins.network
            let hung = (0..<10).map { index in
                let attachment = plugins.attachment("s\(index)")
                return Task { try await network.attach(attachment) }
            }
            try await eventually("the first of them hang") { File.exists(scratch.file("hung")) }
            #expect(try await network.attach(plugins.attachment("good")).ip == "10.9.8.7")
            for task in hung { task.cancel() }
            for task in hung { _ = await task.result }
        }
    }
}
