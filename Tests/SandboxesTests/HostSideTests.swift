import CRI
import Images
import JSON
import Linux
import OCISpec
import SwiftProtobuf
import TestKit
import Testing

@testable import Sandboxes

@Suite("What a config names on the host")
struct HostSideTests {
    private func mount(_ change: (inout CRIMount) -> Void) -> CRIMount {
        CRIMount.with {
            $0.hostPath = "/usr"
            $0.containerPath = "/mnt"
            change(&$0)
        }
    }

    private func refusal(_ change: (inout CRIMount) -> Void, _ features: RuntimeFeatures = plainFeatures) -> CRIError? {
        #expect(throws: CRIError.self) { try MountSources.prepare([self.mount(change)], features: features) }
    }

    @Test("recursive read-only needs readonly, private propagation, and a runtime that can do it")
    func recursiveReadOnly() throws {
        #expect(refusal { $0.recursiveReadOnly = true }?.code == .invalidArgument)
        let shared = refusal {
            $0.recursiveReadOnly = true
            $0.readonly = true
            $0.propagation = .propagationHostToContainer
        }
        #expect(shared?.message == "mount on /mnt: recursive_read_only needs private propagation")
        let good: (inout CRIMount) -> Void = {
            $0.recursiveReadOnly = true
            $0.readonly = true
        }
        #expect(refusal(good, RuntimeFeatures())?.message.hasPrefix("RROUnsupported: ") == true)
        #expect(try MountSources.prepare([mount(good)], features: plainFeatures).first?.recursiveReadOnly == true)
    }

    @Test("an id-mapped mount has both mappings, and a runtime that can make it")
    func idMappings() throws {
        let range = CRIIDMapping.with {
            $0.hostID = 5000
            $0.length = 10
        }
        #expect(refusal { $0.uidMappings = [range] }?.message.contains("go together") == true)
        let good: (inout CRIMount) -> Void = {
            $0.uidMappings = [range]
            $0.gidMappings = [range]
        }
        #expect(refusal(good, RuntimeFeatures())?.code == .failedPrecondition)
        let prepared = try MountSources.prepare([mount(good)], features: plainFeatures)
        #expect(prepared.first?.uidMappings == [LinuxIDMapping(containerID: 0, hostID: 5000, size: 10)])
        let spec = try ContainerSpec.build(plainInput { $0.mounts = prepared })
        let made = spec.mounts.first { $0.destination == "/mnt" }
        #expect(made?.gidMappings == [LinuxIDMapping(containerID: 0, hostID: 5000, size: 10)])
    }

    @Test("a container in a pod with ids of its own joins the pod's user namespace")
    func userNamespace() throws {
        let mappings = IDMappings(
            uids: [LinuxIDMapping(containerID: 0, hostID: 100_000, size: 65536)],
            gids: [LinuxIDMapping(containerID: 0, hostID: 100_000, size: 5)])
        let spec = try ContainerSpec.build(
            plainInput {
                $0.idMappings = mappings
                $0.userNamespace = "/s/userns"
            })
        #expect(spec.validate().isEmpty)
        #expect(spec.linux?.namespaces.first { $0.type == .user }?.path == "/s/userns")
        #expect(spec.linux?.uidMappings == mappings.uids)
        // The group of terminals is none that this pod has.
        #expect(spec.mounts.first { $0.type == "devpts" }?.options.contains("gid=5") == false)
        #expect(spec.mounts.first { $0.destination == "/sys" }?.type == "sysfs")
        let hostNetwork = try ContainerSpec.build(
            plainInput {
                $0.idMappings = mappings
                $0.userNamespace = "/s/userns"
                $0.netns = nil
            })
        let sys = try #require(hostNetwork.mounts.first { $0.destination == "/sys" })
        #expect(sys.type == "bind" && sys.source == "/sys" && sys.options.contains("rro"))
    }

    @Test("a process never runs with less confinement than was asked for")
    func appArmor() throws {
        func profile(_ change: (inout CRISecurityProfile) -> Void, _ facts: HostFacts) throws -> String? {
            try AppArmor.profile(CRISecurityProfile.with(change), legacy: "", privileged: false, facts: facts)
        }
        var facts = plainFacts
        for type in [CRISecurityProfile.ProfileType.runtimeDefault, .localhost] {
            let error = #expect(throws: CRIError.self) { try profile({ $0.profileType = type }, facts) }
            #expect(error?.message.contains("has no AppArmor") == true)
        }
        #expect(try profile({ $0.profileType = .unconfined }, facts) == nil)
        #expect(try AppArmor.profile(nil, legacy: "", privileged: false, facts: facts) == nil)
        facts.appArmor = true
        facts.appArmorProfiles = ["mine"]
        #expect(throws: CRIError.self) { try profile({ $0.profileType = .runtimeDefault }, facts) }
        #expect(
            try profile(
                {
                    $0.profileType = .localhost
                    $0.localhostRef = "mine"
                }, facts) == "mine")
        #expect(throws: CRIError.self) {
            try AppArmor.profile(nil, legacy: "localhost/other", privileged: false, facts: facts)
        }
        facts.appArmorProfiles.insert(AppArmor.defaultProfile)
        #expect(
            try AppArmor.profile(nil, legacy: "runtime/default", privileged: false, facts: facts) == "kubesim-default")
        #expect(try AppArmor.profile(nil, legacy: "runtime/default", privileged: true, facts: facts) == nil)
    }

    @Test("SELinux labels are the container's, else the pod's, and only where SELinux is on")
    func labels() throws {
        var facts = plainFacts
        let pod = CRISELinuxOption.with { $0.level = "s0:c1,c2" }
        #expect(try SELinuxLabels.plan(container: nil, pod: pod, facts: facts) == nil)
        facts.selinux = true
        #expect(try SELinuxLabels.plan(container: nil, pod: nil, facts: facts) == nil)
        #expect(
            try SELinuxLabels.plan(container: CRISELinuxOption(), pod: pod, facts: facts)
                == SELinuxLabels(
                    process: "system_u:system_r:container_t:s0:c1,c2",
                    mount: "system_u:object_r:container_file_t:s0:c1,c2"))
        let bad = CRISELinuxOption.with { $0.type = "spc_t:s0" }
        #expect(throws: CRIError.self) { try SELinuxLabels.plan(container: bad, pod: pod, facts: facts) }
    }

    @Test("a seccomp profile lies below its root, whatever its links say, and the error names the file")
    func seccompRoot() async throws {
        // Checked: opened by its path alone, the profile that the link leads to was read.
        try await Scratch.use { scratch in
            let root = try scratch.directory("seccomp")
            try scratch.write("seccomp/good.json", "{}")
            let outside = try scratch.write("outside.json", "{}")
            try File.symlink(outside, root + "/link.json")
            #expect(try SeccompProfile.read(root + "/good.json", below: root) == Array("{}".utf8))
            #expect(try SeccompProfile.read(outside, below: nil) == Array("{}".utf8))
            for path in [outside, root + "/link.json", root + "/../outside.json", root + "/none.json"] {
                let error = #expect(throws: CRIError.self, "\(path)") {
                    try SeccompProfile.read(path, below: root)
                }
                #expect(error?.message.hasPrefix("seccomp profile \(path): ") == true)
            }
        }
    }

    @Test("a runtime can do what both it and the kernel can")
    func features() throws {
        let document = try JSONValue.parse(
            Array(
                #"{"mountOptions":["ro","rro"],"linux":{"namespaces":["user","pid"],"mountExtensions":{"idmap":{"enabled":true}}}}"#
                    .utf8))
        let able = KernelFeatures(mountAttributes: true, userNamespaces: true)
        #expect(RuntimeFeatures(document, kernel: able) == plainFeatures)
        let unable = KernelFeatures(mountAttributes: false, userNamespaces: false)
        #expect(RuntimeFeatures(document, kernel: unable) == RuntimeFeatures())
        #expect(RuntimeFeatures([:], kernel: able) == RuntimeFeatures())
        for (newest, version) in [("1.0.2-dev", "1.0.2-dev"), ("1.1.0", "1.1.0"), ("9.9.9", Spec.version)] {
            #expect(RuntimeFeatures(["ociVersionMax": .string(newest)], kernel: able).specVersion == version)
        }
    }

    @Test("what a container has written is measured once while it is fresh, and later behind the caller's back")
    func writableLayers() async throws {
        let measured = MeasureCount()
        let fresh = WritableLayers(freshFor: .seconds(3600)) { _ in await measured.next() }
        #expect(await fresh.usage(of: ["a", "b"])["a"]?.usage.bytes == 1)
        #expect(await fresh.usage(of: ["a", "b"])["a"]?.usage.bytes == 1)
        #expect(await measured.count == 2)
        await fresh.keep(["b"])
        #expect(await fresh.count == 1)

        let stale = WritableLayers(freshFor: .zero) { _ in await measured.next() }
        let first = try #require(await stale.usage(of: ["c"])["c"])
        try await eventually("a new measurement has come") {
            let known = await stale.usage(of: ["c"])["c"]
            return known.map { $0.usage.bytes > first.usage.bytes } ?? false
        }
        let gone = WritableLayers { _ in nil }
        #expect(await gone.usage(of: ["d"]).isEmpty)
    }
}

/// Counts the measurements; each is a byte more than the one before.
private actor MeasureCount {
    private(set) var count: UInt64 = 0

    func next() -> DiskUsage? {
        count += 1
        return DiskUsage(bytes: count, inodes: 1)
    }
}
