import CRI
import OCISpec
import Testing

@testable import Sandboxes

@Suite("The default seccomp profile")
struct SeccompTests {
    private func rules(_ capabilities: Set<String>, _ name: String) -> [LinuxSyscall] {
        SeccompProfile.runtimeDefault(capabilities: capabilities, facts: plainFacts).syscalls
            .filter { $0.names.contains(name) }
    }

    @Test("what isn't allowed is EPERM, and the host's administration isn't allowed")
    func refusals() {
        let profile = SeccompProfile.runtimeDefault(capabilities: Set(Capabilities.ordinary), facts: plainFacts)
        #expect(profile.defaultAction == "SCMP_ACT_ERRNO" && profile.defaultErrnoRet == 1)
        for name in [
            "mount", "unshare", "setns", "bpf", "kexec_load", "init_module", "add_key", "keyctl", "reboot", "swapon",
            "userfaultfd", "io_uring_setup", "io_uring_enter", "perf_event_open", "open_by_handle_at", "clock_settime",
        ] {
            #expect(!profile.syscalls.contains { $0.names.contains(name) && $0.action == "SCMP_ACT_ALLOW" }, "\(name)")
        }
        #expect((300...450).contains(profile.syscalls[0].names.count))
    }

    @Test("a capability brings its calls along")
    func capabilities() {
        #expect(rules(["CAP_SYS_ADMIN"], "mount").count == 1)
        #expect(rules(["CAP_SYS_CHROOT"], "chroot").count == 1)
        #expect(rules([], "chroot").isEmpty)
    }

    @Test("clone can make no namespace without CAP_SYS_ADMIN, and clone3 doesn't exist")
    func clone() throws {
        let clone = try #require(rules([], "clone").first)
        #expect(
            clone.args == [LinuxSeccompArg(index: 0, value: 0x7E02_0000, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ")])
        let clone3 = try #require(rules([], "clone3").first)
        #expect(clone3.action == "SCMP_ACT_ERRNO" && clone3.errnoRet == 38)
        #expect(rules(["CAP_SYS_ADMIN"], "clone3").first?.action == "SCMP_ACT_ALLOW")
    }

    @Test("sockets to the hypervisor are refused, five execution domains are allowed")
    func arguments() throws {
        #expect(rules([], "socket").map(\.args) == [[LinuxSeccompArg(index: 0, value: 40, op: "SCMP_CMP_NE")]])
        #expect(rules([], "personality").count == 5)
    }

    @Test("no call is listed twice where lists are joined")
    func duplicates() {
        let names = SeccompProfile.runtimeDefault(capabilities: Set(Capabilities.all), facts: plainFacts).syscalls[0]
            .names
        #expect(Set(names).count == names.count)
    }

    @Test("profiles are asked for in the new way and the old")
    func wishes() throws {
        var profile = CRISecurityProfile()
        profile.profileType = .localhost
        profile.localhostRef = "localhost//var/lib/p.json"
        #expect(try SeccompProfile.wish(profile: profile, legacyPath: "") == .localhost("/var/lib/p.json"))
        #expect(try SeccompProfile.wish(profile: nil, legacyPath: "runtime/default") == .runtimeDefault)
        #expect(try SeccompProfile.wish(profile: nil, legacyPath: "") == .unconfined)
        #expect(try SeccompProfile.wish(profile: nil, legacyPath: "localhost//p.json") == .localhost("/p.json"))
        #expect(throws: CRIError.self) { try SeccompProfile.wish(profile: nil, legacyPath: "/p.json") }
        profile.localhostRef = "relative.json"
        #expect(throws: CRIError.self) { try SeccompProfile.wish(profile: profile, legacyPath: "") }
    }

    @Test("a profile file that isn't one is refused with its path and place")
    func files() throws {
        let good = Array(#"{"defaultAction":"SCMP_ACT_ALLOW","archMap":[],"syscalls":[]}"#.utf8)
        #expect(try SeccompProfile.parse(good, path: "/p", facts: plainFacts).architectures == ["SCMP_ARCH_X86_64"])
        do {
            _ = try SeccompProfile.parse(Array("{\"defaultAction\": 7}".utf8), path: "/p", facts: plainFacts)
            Issue.record("it was taken")
        } catch {
            #expect(error.message.hasPrefix("seccomp profile /p: line 1, column "))
        }
    }
}
