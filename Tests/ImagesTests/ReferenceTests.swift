import Images
import Testing

@Suite struct ReferenceTests {
    @Test(arguments: [
        ("busybox", "docker.io/library/busybox:latest"),
        ("busybox:1.36", "docker.io/library/busybox:1.36"),
        ("user/app", "docker.io/user/app:latest"),
        ("docker.io/busybox", "docker.io/library/busybox:latest"),
        ("index.docker.io/user/app:x", "docker.io/user/app:x"),
        ("localhost/busybox:latest", "localhost/busybox:latest"),
        ("localhost:5000/a/b", "localhost:5000/a/b:latest"),
        ("localhost", "docker.io/library/localhost:latest"),
        ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"),
        ("[fd00::1]:5000/x", "[fd00::1]:5000/x:latest"),
        ("a/b/c-d__e.f:V1.0-rc_1", "docker.io/a/b/c-d__e.f:V1.0-rc_1"),
    ]) func `a short name is completed`(_ short: String, _ full: String) throws {
        #expect(try ImageReference(short).description == full)
    }

    @Test func `a digest stands for the tag`() throws {
        let digest = "sha256:" + String(repeating: "0a", count: 32)
        let reference = try ImageReference("busybox:1@" + digest)
        #expect(reference.name == "docker.io/library/busybox")
        #expect(reference.tag == "1")
        #expect(reference.digest == digest)
        #expect(try ImageReference("busybox@" + digest).tag == nil)
    }

    @Test(arguments: [
        "", ":", "/", "a/", "/a", "a//b", "a:", "a:-x", "a:.x", "Upper", "a/Upper", "a b", "a\n", "-a", "a-", "a..b",
        "a___b", "../a",
        "a@sha256:12", "a@md5:12", "a@", "localhost:99999/a", "localhost:/a", "-bad.com/a",
        "a:\(String(repeating: "t", count: 129))",
        String(repeating: "a", count: 256), String(repeating: "0a", count: 32), "a/\u{0}", "é",
    ]) func `what is no reference is refused with a reason`(_ text: String) {
        #expect {
            _ = try ImageReference(text)
        } throws: { error in
            guard case ImageError.invalidReference(_, let reason) = error else { return false }
            return !reason.isEmpty
        }
    }

    @Test func `a login in a name is refused and not repeated`() {
        do {
            _ = try ImageReference("me:secret@registry.example/a")
            Issue.record("it is taken")
        } catch {
            let text = "\(error)"
            #expect(
                text.contains("login") && text.contains("registry.example/a") && !text.contains("secret"), "\(text)")
        }
    }
}
