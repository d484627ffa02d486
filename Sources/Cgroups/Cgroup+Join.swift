import CLinux
import Glibc
public import Linux

extension Cgroup {
    /// Moves a process with all its threads into the cgroup, in every hierarchy. 0 is the calling process.
    ///
    /// A process cloned into `openForClone()` is in the v2 one already; joining again does no harm.
    public func addProcess(_ pid: pid_t) throws(CgroupError) {
        let text = String(pid)
        for hierarchy in host.v1 {
            guard let directory = directory(hierarchy.controllers[0]) else { continue }
            try join(directory, text)
        }
        if let directory = unifiedDirectory { try join(directory, text) }
    }

    /// The v1 hierarchies' `tasks` files, for a process with one thread that joins by itself (``joinSelf(_:)``).
    ///
    /// Of all ways into a cgroup only this one takes no lock against every fork of the host, for which the kernel waits some
    /// milliseconds (cgroup_procs_write_start()). Opened by the parent: the rights at the write are those of the open.
    public func openTasks() throws(CgroupError) -> TaskFiles {
        var opened: [Int32] = []
        do throws(SystemError) {
            for hierarchy in host.v1 {
                guard let directory = directory(hierarchy.controllers[0]) else { continue }
                opened.append(try File.open(directory + "/tasks", O_WRONLY).release())
            }
        } catch {
            for number in opened { close(number) }
            throw CgroupError("join", error, hint: Cgroup.joinHint(error.errno, path))
        }
        return TaskFiles(numbers: opened)
    }

    /// Moves the calling thread, which must be its process's only one, into the cgroups whose `tasks` files these are.
    public static func joinSelf(_ numbers: [Int32]) throws(CgroupError) {
        for number in numbers where Glibc.write(number, "0", 1) < 0 {
            let reason = Errno.current
            throw CgroupError("join", errno: reason, hint: joinHint(reason, ""))
        }
    }

    private func join(_ directory: String, _ pid: String) throws(CgroupError) {
        do throws(SystemError) {
            try File.writeExisting(directory + "/cgroup.procs", pid)
        } catch {
            throw CgroupError("join with process \(pid)", error, hint: Cgroup.joinHint(error.errno, directory))
        }
    }

    static func joinHint(_ errno: Errno, _ directory: String) -> String? {
        switch errno {
        case .noSpace: "the cgroup's cpuset.cpus or cpuset.mems is empty"
        case .busy: "a v2 cgroup that hands controllers down to children can hold no processes itself"
        case .notSupported: "the v2 cgroup is threaded or below a threaded one"
        case .noProcess: "the process has ended"
        default: nil
        }
    }

    /// The v2 directory for clone3(2) with CLONE_INTO_CGROUP; nil where there is no v2 hierarchy.
    public func openForClone() throws(CgroupError) -> Descriptor? {
        guard let directory = unifiedDirectory else { return nil }
        do throws(SystemError) {
            return try File.open(directory, O_RDONLY | O_DIRECTORY)
        } catch {
            throw CgroupError("open for clone", error)
        }
    }

    /// The processes in the cgroup and in those below it; none if there is no such cgroup.
    public func processes() throws(CgroupError) -> [pid_t] {
        do throws(SystemError) {
            return try Cgroup.processes(below: mainDirectory)
        } catch {
            throw CgroupError("list the processes", error)
        }
    }

    static func processes(below directory: String) throws(SystemError) -> [pid_t] {
        var found: [pid_t] = []
        try collect(directory, &found)
        return found
    }

    private static func collect(_ directory: String, _ found: inout [pid_t]) throws(SystemError) {
        do throws(SystemError) {
            let text = try File.readText(directory + "/cgroup.procs")
            for line in text.split(separator: "\n") {
                if let pid = pid_t(line) { found.append(pid) }
            }
            for child in try children(directory) { try collect(child, &found) }
        } catch {
            // The cgroup was removed meanwhile, or is threaded: its processes are listed above it.
            if error.errno != .noEntry && error.errno != .noDevice && error.errno != .notSupported { throw error }
        }
    }

    /// The directories below a cgroup's; empty without looking if its link count says so.
    static func children(_ directory: String) throws(SystemError) -> [String] {
        if try FileStatus(at: AT_FDCWD, directory).raw.links == 2 { return [] }
        var found: [String] = []
        for name in try Directory.names(directory) {
            let path = directory + "/" + name
            if try FileStatus(at: AT_FDCWD, path).isDirectory { found.append(path) }
        }
        return found
    }
}

/// Open `tasks` files of one cgroup; closed with this value.
public final class TaskFiles {
    public let numbers: [Int32]

    init(numbers: [Int32]) { self.numbers = numbers }

    deinit { for number in numbers { close(number) } }
}
