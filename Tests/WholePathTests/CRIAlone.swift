import FoundationEssentials
import Glibc
import JSON
import TestKit
import Testing

/// `kubesim cri`: the runtime without a kubelet.
@Suite(.serialized) struct CRIAlone {
    @Test(
        "stopping it leaves the pods running, and the next start adopts them with the same processes",
        .needs(.root, .overlayfs, .programs, .samples, .cniPlugins, .iptables))
    func adopted() async throws {
        try await TestNode.use(.cri) { cri in
            let mark = "\(cri.root)-alone-mark"
            let container = try await Self.runPod(on: cri, mark: mark)
            let process = ProcessTable.originals(mentioning: mark)
            #expect(process.count == 1)

            try await cri.stop(SIGTERM)
            #expect(cri.log.contains("the CRI is served"))
            #expect(ProcessTable.originals(mentioning: mark) == process)

            try await cri.start()
            let listed = try await cri.crictl("ps", "--quiet", "--no-trunc").output
            #expect(listed == container + "\n")
            #expect(ProcessTable.originals(mentioning: mark) == process)
            let said = try await cri.crictl("exec", container, "echo", "still here")
            #expect(said.output == "still here\n", "\(said.errors)")
        }
    }

    @Test(
        "one root serves a node or the CRI alone, never both",
        .needs(.root, .overlayfs, .programs, .samples, .cniPlugins, .iptables))
    func locked() async throws {
        try await TestNode.use(.cri) { cri in
            let refused = try await cri.kubesim("node", "--root", cri.root)
            #expect(refused.code == 1)
            let reason =
                "another `kubesim node` or `kubesim cri` is running on \(cri.root): stop it, or give this one its own --root"
            #expect(refused.errors.contains(reason), "\(refused.errors)")
            #expect(try await cri.crictl("version").code == 0)
        }
    }

    @Test(
        "it says what it has no answer for, and what to ask instead",
        .needs(.root, .overlayfs, .programs, .samples, .cniPlugins, .iptables))
    func noKubelet() async throws {
        try await TestNode.use(.cri) { cri in
            let pods = try await cri.kubesim("pods", "--root", cri.root)
            #expect(pods.code == 1)
            #expect(pods.errors.contains("without a kubelet: `kubesim crictl pods` lists its sandboxes"))
            let loaded = try await cri.kubesim("image", "load", "--root", cri.root, cri.images + "/web.tar")
            #expect(loaded.output.hasPrefix("loaded localhost/web:latest ("), "\(loaded.errors)")
        }
    }

    @Test(
        "systemd hears when clients may come, and no process of a pod finds out where it listens",
        .needs(.root, .overlayfs, .programs, .samples, .cniPlugins, .iptables))
    func ready() async throws {
        try await Scratch.use { scratch in
            let notices = try Notices(at: scratch.file("notify"))
            try await TestNode.use(.cri, environment: ["NOTIFY_SOCKET": scratch.file("notify")]) { cri in
                // Clients may come a moment before the notice.
                var notice: String?
                try await eventually("the notice has come") {
                    notice = notices.next()
                    return notice != nil
                }
                #expect(notice == "READY=1\n")
                let mark = "\(cri.root)-notified-mark"
                _ = try await Self.runPod(on: cri, mark: mark)
                let ours = ProcessTable.mentioning(cri.root).filter { !$0.contains("kubesim cri") }
                #expect(ours.contains { $0.contains("kubesim-shim") })
                for line in ours {
                    let pid = line.prefix { $0 != " " }
                    #expect(!ProcFile.text("/proc/\(pid)/environ").contains("NOTIFY_SOCKET"), "\(line)")
                }
                #expect(notices.next() == nil)
            }
        }
    }

    /// Runs a sandbox with one container whose process has `mark` in its command line; returns the container's id.
    private static func runPod(on cri: TestNode, mark: String) async throws -> String {
        let sandbox = try cri.scratch.write(
            "sandbox.json",
            """
            {"metadata":{"name":"alone","namespace":"default","uid":"alone-uid","attempt":0},"hostname":"alone",
             "linux":{"cgroup_parent":"\(cri.cgroup)"}}
            """)
        let container = try cri.scratch.write(
            "container.json",
            """
            {"metadata":{"name":"c","attempt":0},"image":{"image":"localhost/busybox:latest"},
             "command":["sh","-c","trap 'exit 0' TERM; while :; do sleep 1; done # \(mark)"]}
            """)
        try await eventually("the sample image is imported") {
            try await cri.crictl("images", "--quiet").output.contains("sha256:")
        }
        let started = try await cri.crictl("run", "--no-pull", container, sandbox)
        try #require(started.code == 0, "crictl run: \(started.errors)")
        return started.output.filter { !$0.isNewline }
    }
}

/// A datagram socket as systemd has it.
private final class Notices: Sendable {
    private let descriptor: Int32

    init(at path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0 else { throw POSIXFailure("bind", path) }
    }

    deinit { close(descriptor) }

    /// What has come, without waiting.
    func next() -> String? {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }
}
