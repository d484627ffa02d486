import Linux
import OCISpec

/// One mount of the container, with nothing left to decide.
struct MountPlan: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// What is at `source` on the host, an absolute path.
        case bind(source: String)
        case filesystem(type: String, source: String)
        /// The container's cgroups, in whichever version the host has them.
        case cgroup
        /// Nothing new: what is mounted at the destination gets other attributes.
        case remount
    }

    /// The ids of a mount whose files have other owners in the container than on disk.
    enum IDMapping: Hashable, Sendable {
        case own(uids: [LinuxIDMapping], gids: [LinuxIDMapping])
        /// Those of the user namespace of that path.
        case namespace(path: String)
    }

    var kind: Kind
    var destination: String
    var options: MountOptions
    var idMapping: IDMapping?

    /// - Parameters:
    ///   - bundle: where relative sources start.
    ///   - containers: the mapping of the container's own user namespace, which `idmap` alone means; nil without one.
    ///   - rootfs: of the container; a destination that begins with it is taken as what follows, as runc does.
    init(
        _ mount: OCISpec.Mount, bundle: String, containers: IDMapping? = nil, rootfs: String = "/"
    ) throws(RuntimeError) {
        let options: MountOptions
        do throws(RuntimeError) {
            options = try MountOptions(mount.options)
        } catch {
            throw RuntimeError("mounts: \(mount.destination): \(error)")
        }
        self.options = options
        if mount.destination.isEmpty { throw RuntimeError("mounts: a mount has no destination") }
        // runc takes a relative destination as relative to the root.
        destination = mount.destination.utf8.first == UInt8(ascii: "/") ? mount.destination : "/" + mount.destination
        let outside = MountPlan.cleaned(rootfs) + "/"
        if outside != "//", MountPlan.cleaned(destination).hasPrefix(outside) {
            destination = "/" + MountPlan.cleaned(destination).dropFirst(outside.utf8.count)
        }
        if options.remount {
            kind = .remount
        } else if options.bind || mount.type == "bind" || mount.type == "rbind" {
            guard let source = mount.source, !source.isEmpty else {
                throw RuntimeError("mounts: \(mount.destination): a bind mount needs a source")
            }
            kind = .bind(source: source.utf8.first == UInt8(ascii: "/") ? source : bundle + "/" + source)
            if !options.bind { self.options.recursiveBind = mount.type == "rbind" }
        } else if let type = mount.type, !type.isEmpty, type != "none" {
            kind =
                type == "cgroup" || type == "cgroup2" ? .cgroup : .filesystem(type: type, source: mount.source ?? type)
        } else {
            throw RuntimeError("mounts: \(mount.destination): neither a type nor the option bind")
        }
        try setIDMapping(mount, containers)
        try refuseUnsafeProc()
    }

    private mutating func setIDMapping(_ mount: OCISpec.Mount, _ containers: IDMapping?) throws(RuntimeError) {
        let place = "mounts: \(mount.destination)"
        if mount.uidMappings.isEmpty != mount.gidMappings.isEmpty {
            throw RuntimeError("\(place): uidMappings and gidMappings are needed together")
        }
        if !mount.uidMappings.isEmpty {
            idMapping = .own(uids: mount.uidMappings, gids: mount.gidMappings)
            if options.idMapIsRecursive == nil { options.idMapIsRecursive = false }
        } else if options.idMapIsRecursive != nil {
            guard let containers else {
                throw RuntimeError("\(place): idmap without uidMappings needs a user namespace in linux.namespaces")
            }
            idMapping = containers
        }
        if idMapping == nil { return }
        guard case .bind = kind else { throw RuntimeError("\(place): only bind mounts can map ids") }
    }

    /// Over `/proc` only a procfs may stand, and below it only files that are known to be harmless: what the kernel and we
    /// trust to be the kernel's would else come from the container (CVE-2019-16884, CVE-2025-52881).
    private func refuseUnsafeProc() throws(RuntimeError) {
        let path = MountPlan.cleaned(destination)
        guard path == "/proc" || path.hasPrefix("/proc/") else { return }
        if path == "/proc" {
            switch kind {
            case .filesystem(type: "proc", _), .remount: return
            case .bind: return  // the launch looks whether the source is a procfs
            default:
                throw RuntimeError("mounts: \(destination): only a filesystem of type proc may be mounted on /proc")
            }
        }
        if kind == .remount { return }
        if !MountPlan.allowedBelowProc.contains(path) {
            throw RuntimeError("mounts: \(destination): is inside /proc, where nothing may be mounted")
        }
    }

    /// Whether the destination's text says `/proc` itself, or one of the files below it that may be covered.
    var isAllowedInProc: Bool {
        let path = MountPlan.cleaned(destination)
        return path == "/proc" || MountPlan.allowedBelowProc.contains(path)
    }

    /// Files that lxcfs and the like provide.
    private static let allowedBelowProc = [
        "/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo", "/proc/stat", "/proc/swaps", "/proc/uptime",
        "/proc/loadavg",
        "/proc/slabinfo", "/proc/net/dev", "/proc/sys/kernel/ns_last_pid", "/proc/sys/crypto/fips_enabled",
    ]

    /// Without ".", ".." and doubled slashes, as far as text alone can tell.
    static func cleaned(_ path: String) -> String {
        if isClean(path) { return path }
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        guard !parts.isEmpty else { return "/" }
        // Not `joined`, whose generic code looks for conformances first.
        var cleaned = ""
        for part in parts {
            cleaned += "/"
            cleaned += part
        }
        return cleaned
    }

    /// Whether nothing is to be cleaned, as nearly always: absolute, and no part is empty or begins with a dot.
    private static func isClean(_ path: String) -> Bool {
        var before = UInt8(ascii: "x")
        for byte in path.utf8 {
            if before == UInt8(ascii: "/"), byte == before || byte == UInt8(ascii: ".") { return false }
            before = byte
        }
        return path.utf8.first == UInt8(ascii: "/") && before != UInt8(ascii: "/")
    }

    /// Whether it becomes read-only only when nothing is made in it any more: /dev, where mounts, nodes and links go.
    var becomesReadOnlyLast: Bool {
        if case .filesystem = kind { return options.isReadOnly && MountPlan.cleaned(destination) == "/dev" }
        return false
    }

    /// Whether this gives the container its own /dev, where default devices and links belong.
    var isHostDevice: Bool {
        if case .bind = kind { return MountPlan.cleaned(destination) == "/dev" }
        return false
    }
}
