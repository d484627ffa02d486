import Glibc
import Linux

extension Cgroup {
    /// Gives a v2 cgroup to another user, who then may make cgroups below it (cgroup-v2 documentation, Delegation). v1
    /// hierarchies are never given away: their limits could be lifted.
    public func delegate(to uid: UInt32) throws(CgroupError) {
        guard host.mode == .v2, let directory = directory(nil) else { return }
        // What may be given away is the kernel's to say; these are its files of Linux 4.15 on.
        let known =
            (try? File.readText("/sys/kernel/cgroup/delegate")) ?? "cgroup.procs cgroup.threads cgroup.subtree_control"
        for name in [""] + CgroupHost.words(known) where !name.contains("/") {
            let path = name.isEmpty ? directory : directory + "/" + name
            if chown(path, uid, gid_t.max) < 0, errno != ENOENT {
                throw CgroupError("give to uid \(uid)", path: path, errno: .current)
            }
        }
    }

    /// Moves a process into a cgroup below this one, by controller; nil (or v2) is every hierarchy that isn't named.
    ///
    /// - Throws: `CgroupError` for a path that leads out, a controller that isn't there, a cgroup that doesn't exist.
    public func addProcess(_ pid: pid_t, below paths: [(controller: String?, path: String)]) throws(CgroupError) {
        for entry in paths {
            let parts = entry.path.split(separator: "/")
            if parts.contains("..") || entry.path.utf8.contains(0) {
                throw CgroupError("bad sub cgroup path: \(entry.path)")
            }
            if let controller = entry.controller, host.hierarchy(of: controller) == nil {
                throw CgroupError("unknown controller \(controller)")
            }
        }
        let everywhere = paths.first { $0.controller == nil }?.path
        for (first, directory) in directories {
            let controllers = host.hierarchy(of: first)?.controllers ?? []
            let named = paths.first { entry in entry.controller.map { controllers.contains($0) } ?? false }?.path
            let below = (named ?? everywhere ?? "").split(separator: "/").filter { $0 != "." }
            let target = below.isEmpty ? directory : directory + "/" + below.joined(separator: "/")
            do throws(SystemError) {
                try File.writeExisting(target + "/cgroup.procs", String(pid))
            } catch {
                throw CgroupError("adding pid \(pid) to cgroups", error)
            }
        }
    }
}

extension Cgroup {
    /// Moves a process into the v2 cgroup where another one is: a container's own processes may have moved on below the
    /// container's cgroup, which then can hold none itself (EBUSY).
    public func addProcess(_ pid: pid_t, besides other: pid_t) throws(CgroupError) {
        guard let unified = host.unified else { return }
        do throws(SystemError) {
            let own = Cgroup.parse(try File.readText("/proc/\(other)/cgroup"))[""] ?? "/"
            if own.split(separator: "/").contains("..") {
                throw SystemError("read", path: "/proc/\(other)/cgroup", errno: .crossDevice)
            }
            try File.writeExisting(unified.mountPoint + own + "/cgroup.procs", String(pid))
        } catch {
            throw CgroupError("adding pid \(pid) to cgroups", error)
        }
    }
}
