import FoundationEssentials
import Node
import TestKit
import Testing

@Suite struct CheckHostTests {
    @Test(.needs(.root)) func `looking at this host finds it, and leaves nothing behind`() async throws {
        try await Scratch.use { scratch in
            let facts = HostObservation.look(
                dataRoot: scratch.file("not/there/yet"), confDir: scratch.file("no-net.d"),
                pluginDirectories: [scratch.file("no-plugins")], programDirectory: scratch.file("no-programs"))
            #expect(facts.user == 0)
            #expect(!facts.kernelRelease.isEmpty)
            #expect(facts.calls.count == HostObservation.Call.allCases.count)
            #expect(facts.calls.values.allSatisfy { $0 == .works }, "\(facts.calls)")
            #expect(facts.cgroupMode != nil)
            #expect(facts.availableBytes > 0)
            #expect(facts.dataRoot == scratch.path)
            #expect(facts.overlay != nil)
            #expect(facts.plugins.isEmpty)
            #expect(facts.networkConfiguration == nil)
            #expect(facts.neededPlugins == ["bridge", "host-local", "portmap"])
            #expect(facts.programs.map(\.name) == ["kubesim-oci", "kubesim-shim", "pause"])
            #expect(facts.programs.allSatisfy { $0.problem != nil })
            #expect(MountTable.below(scratch.path).isEmpty)
            let left = try FileManager.default.contentsOfDirectory(atPath: scratch.path)
            #expect(left.isEmpty)
        }
    }

    @Test func `the host's own network configuration says which plugins are needed`() async throws {
        try await Scratch.use { scratch in
            func look() -> HostObservation {
                HostObservation.look(
                    dataRoot: scratch.path, confDir: scratch.path, pluginDirectories: [], programDirectory: "/")
            }
            try scratch.write(
                "10-own.conflist", #"{"plugins": [{"type": "ptp", "ipam": {"type": "static"}}, {"type": "tuning"}]}"#)
            try scratch.write("20-other.conflist", "{}")
            #expect(look().networkConfiguration == scratch.file("10-own.conflist"))
            #expect(look().neededPlugins == ["ptp", "static", "tuning"])
            try scratch.write("05-broken.conf", "{")
            #expect(look().networkConfigurationError == "\(scratch.file("05-broken.conf")) is no CNI configuration")
        }
    }
}
