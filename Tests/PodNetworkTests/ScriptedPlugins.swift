import Glibc
import JSON
import Linux
import PodNetwork

import struct PodNetwork.Attachment
import TestKit

/// Plugins made of shell, which write down how they were called.
struct ScriptedPlugins {
    let scratch: Scratch
    var configuration: NetworkConfiguration

    init(_ scratch: Scratch) throws {
        self.scratch = scratch
        configuration = NetworkConfiguration(
            confDir: try scratch.directory("net.d"), binDirs: [try scratch.directory("bin")],
            cacheDir: scratch.file("results"),
            dataDir: scratch.file("addresses"))
    }

    /// Writes a plugin. `body` has the standard input in `$in`.
    ///
    /// - Parameter versions: what it says it speaks; nil says nothing
    func plugin(_ name: String, versions: [String]? = nil, _ body: String) throws {
        let list = (versions ?? []).map { "\"\($0)\"" }.joined(separator: ",")
        let answer = versions == nil ? ":" : "echo '{\"cniVersion\":\"1.0.0\",\"supportedVersions\":[\(list)]}'"
        let path = try scratch.write(
            "bin/" + name,
            """
            #!/bin/sh
            in=$(cat)
            [ $CNI_COMMAND != VERSION ] || { echo >> \(scratch.file("\(name).versions")); \(answer); exit; }
            echo "\(name) $CNI_COMMAND $CNI_CONTAINERID $CNI_NETNS $CNI_IFNAME" >> \(scratch.file("calls"))
            printf '%s' "$in" > \(scratch.file("\(name)."))$CNI_COMMAND
            printf '%s' "$CNI_ARGS" > \(scratch.file("\(name).args"))
            \(body)

            """)
        chmod(path, 0o755)
    }

    func conflist(_ text: String, _ name: String = "10-test.conflist") throws {
        try scratch.write("net.d/" + name, text)
    }

    var calls: [String] {
        ((try? File.readText(scratch.file("calls"))) ?? "").split(separator: "\n").map(String.init)
    }

    /// The calls' plugins and verbs alone.
    var verbs: [String] { calls.map { $0.split(separator: " ").prefix(2).joined(separator: " ") } }

    /// What a plugin was given with its last call of a verb.
    func input(_ plugin: String, _ verb: String) throws -> JSONValue {
        try JSONValue.parse(try File.read(scratch.file(plugin + "." + verb), limit: 1 << 20))
    }

    var network: PodNetwork { PodNetwork(configuration: configuration, logger: RealNetwork.quiet) }

    func attachment(_ sandbox: String = "s1", ports: [PortMapping] = []) -> Attachment {
        Attachment(
            sandbox: sandbox, netns: "/proc/self/ns/net", podNamespace: "team", podName: "web", podUID: "u1",
            portMappings: ports)
    }

    static let result =
        #"{"cniVersion":"1.0.0","interfaces":[{"name":"eth0","mac":"aa:bb","sandbox":"/x"}],"#
        + #""ips":[{"interface":0,"address":"10.9.8.7/24","gateway":"10.9.8.1"}],"dns":{"nameservers":["1.1.1.1"]}}"#
}
