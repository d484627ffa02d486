import CLinux
import Glibc
import JSON
import Linux
import OCISpec

/// The agent that decides on calls with SCMP_ACT_NOTIFY: it gets the notify descriptor and the container's state over its
/// socket (config-linux.md, Seccomp, "The Container Process State").
struct SeccompListener: Sendable {
    let path: String
    let metadata: String
    let state: State
    /// Of the process, as this runtime sees it.
    let pid: pid_t

    /// Nil when the filter has no such action.
    init?(_ filter: BundleFilter?, _ state: State, pid: pid_t) {
        guard let filter, filter.program.usesListener else { return nil }
        path = filter.listenerPath
        metadata = filter.listenerMetadata
        self.state = state
        self.pid = pid
    }

    /// Takes part in what ``SeccompLoad`` began.
    /// - Parameter memory: the page that the process has sent.
    func serve(
        _ memory: consuming Descriptor, _ channel: Channel, _ process: borrowing Pidfd
    ) throws(RuntimeError) {
        let agent: UnixSocket
        do throws(SystemError) {
            agent = try UnixSocket.connect(to: path, .stream)
        } catch {
            throw RuntimeError("failed to connect with seccomp agent specified in the seccomp profile", error)
        }
        guard let shared = sys_shared_map(memory.raw) else {
            throw RuntimeError("linux.seccomp.listenerPath: mmap failed")
        }
        defer { sys_shared_unmap(shared) }
        try channel.tell(.go)
        do throws(SystemError) {
            let number = try awaitNumber(shared, process)
            let listener = Descriptor(
                owning: try check(sys_pidfd_getfd(process.descriptor.raw, number), "pidfd_getfd"))
            try agent.send(encoded(), descriptors: [listener.raw])
        } catch {
            sys_shared_write(shared, SeccompLoad.Place.answer, 2)
            throw RuntimeError("linux.seccomp.listenerPath", error)
        }
        sys_shared_write(shared, SeccompLoad.Place.answer, 1)
    }

    private func awaitNumber(
        _ shared: UnsafeMutablePointer<Int32>, _ process: borrowing Pidfd
    ) throws(SystemError) -> Int32 {
        while true {
            let value = sys_shared_read(shared, SeccompLoad.Place.number)
            if value > 0 { return value - 1 }
            if try process.ended(withinMilliseconds: 0) { throw SystemError("wait for the filter", errno: .noProcess) }
            usleep(100)
        }
    }

    private func encoded() -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.required("ociVersion", Spec.version)
            writer.required("fds", ["seccompFd"])
            writer.required("pid", pid)
            if !metadata.isEmpty { writer.required("metadata", metadata) }
            writer.required("state", state)
        }
        return writer.bytes
    }
}

/// The filter of a bundle, with what belongs to it but isn't in the program.
struct BundleFilter: Sendable {
    let program: SeccompProgram
    var listenerPath = ""
    var listenerMetadata = ""
}
