import Glibc
import JSON
import Linux
import OCISpec
import TestKit
import Testing

@testable import OCIRuntime

@Suite("seccomp", .needs(.root, .programs, .busybox))
struct SeccompTests {
    private static let denyMkdir = LinuxSeccomp(
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [LinuxSyscall(names: ["mkdir", "mkdirat", "no_such_call"], action: "SCMP_ACT_ERRNO", errnoRet: 38)])

    @Test("A call is refused with the errno that was asked for", arguments: [true, false])
    func refusesCalls(noNewPrivileges: Bool) async throws {
        try await TestBundle.use { bundle in
            bundle.spec.process?.noNewPrivileges = noNewPrivileges
            bundle.spec.linux { $0.seccomp = Self.denyMkdir }
            let output = try await bundle.output(of: "mkdir /tmp/x 2>&1; grep Seccomp: /proc/self/status")
            #expect(output.contains("Function not implemented"), "\(output)")
            #expect(output.contains("Seccomp:\t2"))
        }
    }

    @Test("The compiled filter is kept and used again; a damaged one is compiled anew")
    func caches() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.linux { $0.seccomp = Self.denyMkdir }
            let script = "mkdir /tmp/x 2>&1 | grep -c implemented"
            #expect(try await bundle.output(of: script) == "1\n")
            let folder = bundle.state + "/@seccomp"
            let name = try #require(try Directory.names(folder).first)
            let kept = try File.read(folder + "/" + name)
            #expect(try FileStatus(folder + "/" + name).permissions == 0o600)
            #expect(try await bundle.output(of: script) == "1\n")
            // A filter that lets everything pass, as somebody might plant it: its checksum is wrong.
            try AtomicFile.write(folder + "/" + name, [UInt8](repeating: 6, count: kept.count))
            #expect(try await bundle.output(of: script) == "1\n")
            #expect(try File.read(folder + "/" + name) == kept)
            // One that others could have written is not looked at.
            chmod(folder + "/" + name, 0o666)
            #expect(try await bundle.output(of: script) == "1\n")
            #expect(try FileStatus(folder + "/" + name).permissions == 0o600)
        }
    }

    @Test("An argument's value decides")
    func comparesArguments() async throws {
        try await TestBundle.use { bundle in
            let rule = LinuxSyscall(
                names: ["kill"], action: "SCMP_ACT_ERRNO",
                args: [LinuxSeccompArg(index: 1, value: 10, op: "SCMP_CMP_EQ")])
            bundle.spec.linux { $0.seccomp = LinuxSeccomp(defaultAction: "SCMP_ACT_ALLOW", syscalls: [rule]) }
            let output = try await bundle.output(of: "kill -USR1 1 2>&1 | grep -c permitted; kill -0 1 && echo fine")
            #expect(output == "1\nfine\n")
        }
    }

    @Test("What isn't known is refused by name")
    func refusesUnknown() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.linux { $0.seccomp = LinuxSeccomp(defaultAction: "SCMP_ACT_NOTIFY") }
            try await bundle.expectFailure("SCMP_ACT_NOTIFY cannot be used as default action")
            bundle.spec.linux {
                $0.seccomp = LinuxSeccomp(defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_VAX"])
            }
            try await bundle.expectFailure("SCMP_ARCH_VAX")
        }
    }

    @Test("SHA-256 gives the standard's examples")
    func hashes() {
        let text = Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8)
        #expect(SHA256.hex([[]]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            SHA256.hex([Array("abc".utf8)[...]]) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            SHA256.hex([text[..<20], text[20...]]) == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        )
    }
}
