import Glibc
import Linux

extension Cgroup {
    /// Makes the cgroup in every hierarchy, with the parents that are missing; one that is there is left as it is.
    ///
    /// v1: a new cpuset takes over its parent's processors and nodes, without which nothing could join. v2: the parents
    /// hand down every controller that they have. If one hierarchy refuses, what was made is removed again.
    public func create() throws(CgroupError) {
        var made: [String] = []
        do throws(CgroupError) {
            for hierarchy in host.v1 {
                guard let leaf = directory(hierarchy.controllers[0]) else { continue }
                try make(leaf, above: hierarchy.mountPoint, made: &made)
                if hierarchy.controllers.contains("cpuset") {
                    try inheritCpuset(leaf, above: hierarchy.mountPoint)
                }
            }
            if let unified = host.unified, let leaf = unifiedDirectory {
                try make(leaf, above: unified.mountPoint, made: &made)
                if host.mode == .v2 { handDown(unified.controllers, from: unified.mountPoint, to: leaf) }
            }
        } catch {
            for directory in made.reversed() { rmdir(directory) }
            throw error
        }
    }

    /// mkdir with parents; notes what is new.
    private func make(_ directory: String, above top: String, made: inout [String]) throws(CgroupError) {
        if mkdir(directory, 0o755) == 0 {
            made.append(directory)
            return
        }
        switch Errno.current {
        case .exists: return
        case .noEntry:
            // The mount itself is never made: without it this would be a directory of no meaning.
            guard let slash = directory.lastIndex(of: "/"), directory[..<slash].utf8.count > top.utf8.count else {
                throw CgroupError("create", path: directory, errno: .noEntry, hint: "nothing is mounted at \(top)")
            }
            try make(String(directory[..<slash]), above: top, made: &made)
            if mkdir(directory, 0o755) == 0 {
                made.append(directory)
            } else if errno != EEXIST {
                throw CgroupError("create", path: directory, errno: .current)
            }
        case .readOnly:
            throw CgroupError(
                "create", path: directory, errno: .readOnly,
                hint: "\(top) is mounted read-only; mount -o remount,rw \(top)")
        case .noMemory:
            // The directory itself is charged to the cgroup above (memory.kmem, cgroup v1 and v2).
            throw CgroupError(
                "create", path: directory, errno: .noMemory,
                hint: "the memory limit of the cgroup above is too small to make another one in it; raise the limit")
        case let other: throw CgroupError("create", path: directory, errno: other)
        }
    }

    /// v1: an empty set takes over its parent's, and so on upwards.
    private func inheritCpuset(_ directory: String, above top: String) throws(CgroupError) {
        for file in ["cpuset.cpus", "cpuset.mems"] {
            _ = try inherited(file, in: directory, above: top)
        }
    }

    private func inherited(_ file: String, in directory: String, above top: String) throws(CgroupError) -> String {
        do throws(SystemError) {
            let value = try File.readText(directory + "/" + file)
            if value != "\n", !value.isEmpty { return value }
            guard directory.utf8.count > top.utf8.count, let slash = directory.lastIndex(of: "/") else { return value }
            let parent: String
            do throws(CgroupError) {
                parent = try inherited(file, in: String(directory[..<slash]), above: top)
            } catch {
                throw SystemError(error.step, path: error.path, errno: error.errno ?? .invalid)
            }
            try File.writeExisting(directory + "/" + file, parent)
            return parent
        } catch {
            throw CgroupError("take over the parent's cpuset", error)
        }
    }

    /// v2: enables controllers in every cgroup above `leaf`.
    ///
    /// A parent that can't (it holds processes, or is threaded) is passed over: whoever needs the controller finds its
    /// files missing, and the error there says why.
    func handDown(_ controllers: [String], from top: String, to leaf: String) {
        let wanted = Set(controllers)
        if wanted.isSubset(of: Cgroup.controllers(leaf)) { return }
        var directory = top
        for part in leaf.dropFirst(top.count).split(separator: "/") {
            let missing = Cgroup.controllers(directory).intersection(wanted)
                .subtracting(Cgroup.enabled(directory)).sorted()
            let file = directory + "/cgroup.subtree_control"
            if !missing.isEmpty, !Cgroup.accepts(file, missing.map { "+" + $0 }.joined(separator: " ")) {
                for controller in missing { _ = Cgroup.accepts(file, "+" + controller) }
            }
            directory += "/" + part
        }
    }

    private static func controllers(_ directory: String) -> Set<String> {
        Set(CgroupHost.words((try? File.readText(directory + "/cgroup.controllers")) ?? ""))
    }

    private static func enabled(_ directory: String) -> Set<String> {
        Set(CgroupHost.words((try? File.readText(directory + "/cgroup.subtree_control")) ?? ""))
    }

    private static func accepts(_ file: String, _ value: String) -> Bool {
        do throws(SystemError) {
            try File.writeExisting(file, value)
            return true
        } catch {
            return false
        }
    }
}
