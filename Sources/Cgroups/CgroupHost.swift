import Glibc
import Linux

/// How this host's cgroups are mounted, as this process sees them (cgroups(7)).
public struct CgroupHost: Sendable, Hashable {
    /// The three worlds.
    public enum Mode: String, Sendable, Hashable {
        /// Only version 1 hierarchies.
        case v1
        /// Version 1 hierarchies beside a version 2 one.
        case hybrid
        /// Only the version 2 hierarchy.
        case v2
    }

    /// A mounted hierarchy.
    public struct Hierarchy: Sendable, Hashable {
        /// Where it is mounted.
        public var mountPoint: String
        /// Which of its cgroups is mounted there; `/` but for mounts made in containers.
        public var root: String
        /// v1: `cpu`, `name=systemd`, …; v2: what the mounted cgroup's `cgroup.controllers` lists.
        public var controllers: [String]

        public init(mountPoint: String, root: String = "/", controllers: [String]) {
            self.mountPoint = mountPoint
            self.root = root
            self.controllers = controllers
        }
    }

    /// The version 1 hierarchies in the order in which they were mounted.
    public var v1: [Hierarchy]
    /// The version 2 hierarchy.
    public var unified: Hierarchy?

    public init(v1: [Hierarchy] = [], unified: Hierarchy? = nil) {
        self.v1 = v1
        self.unified = unified
    }

    public var mode: Mode {
        if v1.isEmpty { return .v2 }
        return unified == nil ? .v1 : .hybrid
    }

    /// Whether a controller can be used, in whichever version.
    public func has(_ controller: String) -> Bool {
        hierarchy(of: controller) != nil || unified?.controllers.contains(controller) == true
    }

    /// The version 1 hierarchy of a controller.
    func hierarchy(of controller: String) -> Hierarchy? {
        v1.first { $0.controllers.contains(controller) }
    }

    /// Looks at what is mounted.
    ///
    /// - Throws: `CgroupError` if nothing is, or `/proc` can't be read.
    public static func detect() throws(CgroupError) -> CgroupHost {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try File.read("/proc/self/mountinfo")
        } catch {
            throw CgroupError("find the cgroup mounts", error)
        }
        var host = CgroupHost(mountinfo: bytes)
        if let unified = host.unified {
            do throws(SystemError) {
                host.unified?.controllers = words(try File.readText(unified.mountPoint + "/cgroup.controllers"))
            } catch {
                throw CgroupError("read the cgroup controllers", error)
            }
        }
        guard !host.v1.isEmpty || host.unified != nil else {
            throw CgroupError(
                "find the cgroup mounts", path: "/proc/self/mountinfo",
                hint: "no cgroup filesystem is mounted; mount -t cgroup2 cgroup2 /sys/fs/cgroup")
        }
        return host
    }

    /// Reads the mounts from the text of `/proc/self/mountinfo`; the unified hierarchy's controllers stay empty.
    ///
    /// Of several mounts of one hierarchy the one below `/sys/fs/cgroup` counts, else the first.
    public init(mountinfo: [UInt8]) {
        self.init()
        for line in mountinfo.split(separator: UInt8(ascii: "\n")) where CgroupHost.isCgroupMount(line) {
            guard let mount = MountInfo(line) else { continue }
            if mount.type == "cgroup2" {
                let found = Hierarchy(mountPoint: mount.mountPoint, root: mount.root, controllers: [])
                if unified.map({ CgroupHost.isBetter(found, than: $0) }) ?? true { unified = found }
            } else if mount.type == "cgroup" {
                let controllers = mount.superOptions.split(separator: ",").map(String.init).filter(
                    CgroupHost.isController)
                let found = Hierarchy(mountPoint: mount.mountPoint, root: mount.root, controllers: controllers)
                if let index = v1.firstIndex(where: { $0.controllers == controllers }) {
                    if CgroupHost.isBetter(found, than: v1[index]) { v1[index] = found }
                } else if !controllers.isEmpty {
                    v1.append(found)
                }
            }
        }
    }

    /// Whether the line can be one of a cgroup mount: nodes have thousands of other mounts, which aren't worth reading.
    private static func isCgroupMount(_ line: ArraySlice<UInt8>) -> Bool {
        let mark: StaticString = " - cgroup"
        let length = mark.utf8CodeUnitCount
        return line.withUnsafeBufferPointer { bytes in
            guard var here = bytes.baseAddress else { return false }
            let end = here + bytes.count
            while end - here >= length {
                guard let dash = memchr(here + 1, Int32(UInt8(ascii: "-")), end - here - 1) else { return false }
                here = UnsafePointer(dash.assumingMemoryBound(to: UInt8.self)) - 1
                if end - here >= length, memcmp(here, mark.utf8Start, length) == 0 { return true }
                here += 1
            }
            return false
        }
    }

    private static func isBetter(_ new: Hierarchy, than old: Hierarchy) -> Bool {
        new.mountPoint.hasPrefix("/sys/fs/cgroup") && !old.mountPoint.hasPrefix("/sys/fs/cgroup")
    }

    /// Superblock options of a v1 mount that aren't controllers.
    private static func isController(_ option: String) -> Bool {
        switch option {
        case "rw", "ro", "clone_children", "xattr", "noprefix", "cpuset_v2_mode", "none", "seclabel": false
        default: !option.hasPrefix("release_agent=")
        }
    }

    static func words(_ text: String) -> [String] {
        text.split { $0 == " " || $0 == "\n" }.map(String.init)
    }
}
