import Glibc
import Linux
import OCISpec
import TestKit
import Testing

@testable import OCIRuntime

@Suite("AppArmor", .serialized, .needs(.root, .programs, .busybox, .appArmor))
struct AppArmorTests {
    @Test("The container's process, and what exec adds, are confined by the profile; another one is an error")
    func confines() async throws {
        // That the profile is what forbids is shown by the exec without one, which reads the file.
        try await TestBundle.use { bundle in
            let profile = "kubesim-test-\(getpid())"
            let text = """
                profile \(profile) flags=(attach_disconnected,mediate_deleted) {
                  file,
                  capability,
                  signal,
                  ptrace,
                  deny /forbidden r,
                }

                """
            let file = try bundle.scratch.write("profile", text)
            let loaded = try await Command(["apparmor_parser", "--replace", "--skip-cache", file]).run()
            try #require(loaded.code == 0, "\(loaded.errors)")
            try bundle.scratch.write("bundle/rootfs/forbidden", "secret")
            bundle.spec.process?.apparmorProfile = profile
            let script = "cat /proc/self/attr/current; cat /forbidden"
            let outcome = try await bundle.run(script: script)
            #expect(outcome.output == "\(profile) (enforce)\n")
            #expect(outcome.errors.contains("Permission denied"), "\(outcome)")

            try await bundle.startSleeper()
            let exec = try await bundle.oci("exec", bundle.id, "/bin/sh", "-c", script)
            #expect(exec.output == "\(profile) (enforce)\n" && exec.code != 0, "\(exec)")
            let unconfined = try await bundle.oci(
                "exec", "--apparmor", "unconfined", bundle.id, "/bin/cat", "/forbidden")
            #expect(unconfined.output == "secret", "\(unconfined)")
            _ = try await bundle.oci("delete", "--force", bundle.id)

            bundle.spec.process?.apparmorProfile = "kubesim-no-such-profile"
            let missing = try await bundle.run(script: "true")
            #expect(missing.code == 1)
            #expect(missing.errors.contains("process.apparmorProfile \"kubesim-no-such-profile\""), "\(missing)")
            _ = try await Command(["apparmor_parser", "--remove", file]).run()
        }
    }
}
