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
            let holder = try step("user namespace of a mount") { () throws(SystemError) in
                try IdleProcess(Namespace.user.rawValue)
            }
            try UserMappings.write(uids, gids, pid: holder.pid)
            number = try step("user namespace of a mount") { () throws(SystemError) in
                try File.open("/proc/\(holder.pid)/ns/user").release()
            }
        }
    }

    deinit { close(number) }
}
