import CLinux
import Glibc
import Linux

/// A user namespace that only says how ids are mapped (mount_setattr(2), MOUNT_ATTR_IDMAP).
final class MappingNamespace {
    let number: Int32

    init(_ mapping: MountPlan.IDMapping) throws(RuntimeError) {
        switch mapping {
        case .namespace(let path):
            number = try step("linux.namespaces user") { () throws(SystemError) in try File.open(path).release() }
        case .own(let uids, let gids):
            var pidfd: Int32 = -1
            let pid = sys_clone3(Namespace.user.rawValue, &pidfd, -1, SIGCHLD, MappingNamespace.wait, nil)
            if pid < 0 {
                throw RuntimeError(
                    "user namespace of a mount", SystemError("clone3", errno: Errno(rawValue: Int32(-pid))))
            }
            let child = Pidfd(Descriptor(owning: pidfd))
            defer {
                try? child.signal(SIGKILL)  // it can't have ended by itself
                _ = try? child.wait()
            }
            try UserMappings.write(uids, gids, pid: pid_t(pid))
            number = try step("user namespace of a mount") { () throws(SystemError) in
                try File.open("/proc/\(pid)/ns/user").release()
            }
        }
    }

    deinit { close(number) }

    /// What the namespace's only process does; it ends with its parent.
    private static let wait: @convention(c) (UnsafeMutableRawPointer?) -> Void = { _ in
        sys_prctl(1, UInt(SIGKILL), 0, 0, 0)
        while true { pause() }
    }
}
