import Glibc
import Linux
import TestKit

/// Images made on the spot from the host's static busybox.
enum TestImage {
    static let applets = [
        "sh", "sleep", "echo", "cat", "ls", "id", "env", "hostname", "ps", "mount", "touch", "true",
        "false", "head", "wc", "stat", "kill", "ip", "dd", "nslookup", "httpd", "readlink", "grep", "mkdir", "tr",
        "sort", "xargs", "nc", "stty",
    ]

    /// A `docker save` archive of `localhost/busybox:latest` with a passwd file, a volume with content, and a default user.
    static func busybox(
        in scratch: Scratch, user: String = "", volumes: String = #""/data": {}"#, name: String = EngineFixture.image,
        prepare: (String) throws -> Void = { _ in }
    ) async throws -> String {
        let folder = try scratch.directory("image-\(UInt32.random(in: 0 ..< .max))")
        let root = folder + "/root"
        for path in ["/bin", "/etc", "/tmp", "/data", "/proc", "/dev", "/sys", "/home/alice"] {
            try Directory.make(root + path, mode: 0o755)
        }
        try AtomicFile.write(root + "/bin/busybox", try File.read("/bin/busybox"), mode: 0o755)
        for applet in applets { try File.symlink("busybox", "\(root)/bin/\(applet)") }
        try AtomicFile.write(
            root + "/etc/passwd",
            "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1001:Alice:/home/alice:/bin/sh\n", mode: 0o644)
        try AtomicFile.write(
            root + "/etc/group", "root:x:0:\nalice:x:1001:\nwheel:x:50000:alice\nfriends:x:600:bob,alice\n", mode: 0o644
        )
        try AtomicFile.write(root + "/data/greeting", "from the image\n", mode: 0o640)
        try prepare(root)
        let layer = folder + "/layer.tar"
        try await Command(["tar", "-C", root, "-cf", layer, "."]).run()
        let sum = try await Command(["sha256sum", layer]).run().output.prefix(64)
        try AtomicFile.write(
            folder + "/config.json",
            """
            {"architecture":"\(architecture)","os":"linux","config":{"User":"\(user)","Env":["PATH=/bin","FROM_IMAGE=yes"],\
            "Cmd":["/bin/sh","-c","echo default command"],"WorkingDir":"/tmp","Volumes":{\(volumes)},"StopSignal":"SIGUSR1"},\
            "rootfs":{"type":"layers","diff_ids":["sha256:\(sum)"]}}
            """, mode: 0o644)
        try AtomicFile.write(
            folder + "/manifest.json",
            #"[{"Config":"config.json","RepoTags":["\#(name)"],"Layers":["layer.tar"]}]"#, mode: 0o644)
        let tarball = folder + ".tar"
        try await Command(["tar", "-C", folder, "-cf", tarball, "manifest.json", "config.json", "layer.tar"]).run()
        return tarball
    }

    #if arch(arm64)
        private static let architecture = "arm64"
    #else
        private static let architecture = "amd64"
    #endif
}
