import Glibc
import Linux
import OCISpec

/// Everything that making a container will do, decided: a pure function of its configuration and its bundle's path.
struct LaunchPlan: Sendable {
    var id: String
    var bundle: String
    /// Absolute path of the root filesystem on the host.
    var rootfs: String
    var readOnlyRoot: Bool
    var namespaces: NamespacePlan
    var uidMappings: [LinuxIDMapping]
    var gidMappings: [LinuxIDMapping]
    var timeOffsets: [String: LinuxTimeOffset]
    var hostname: String?
    var domainname: String?
    var mounts: [MountPlan]
    /// Nil when the container's /dev is the host's, which is left alone.
    var devices: [DevicePlan]?
    var sysctls: [SysctlPlan]
    var maskedPaths: [String]
    var readOnlyPaths: [String]
    /// Of the container's root, as its peers see it.
    var rootPropagation: MountTree.Propagation
    var process: ProcessPlan
    var hooks: Hooks
    var personality: UInt?
    var memoryPolicy: MemoryPolicyPlan?
    /// The host's network devices that move in.
    var networkDevices: [NetworkDevicePlan]
    var rdt: RdtPlan?
    /// The SELinux context of the filesystems that are made for the container.
    var mountLabel: String?
    /// As the configuration has it; empty when it has none.
    var cgroupsPath: String
    var resources: LinuxResources?
    var annotations: [String: String]

    /// - Parameters:
    ///   - bundle: its absolute path.
    ///   - warn: told of what is passed over.
    init(_ spec: Spec, id: ContainerID, bundle: String, warn: (String) -> Void) throws(RuntimeError) {
        guard let root = spec.root, !root.path.isEmpty else { throw RuntimeError("config.json has no root.path") }
        let linux = spec.linux ?? LinuxSection()
        self.id = id.text
        self.bundle = bundle
        let rootfs = root.path.utf8.first == UInt8(ascii: "/") ? root.path : bundle + "/" + root.path
        self.rootfs = rootfs
        readOnlyRoot = root.readonly
        let namespaces = try NamespacePlan(linux.namespaces)
        self.namespaces = namespaces
        uidMappings = linux.uidMappings
        gidMappings = linux.gidMappings
        timeOffsets = linux.timeOffsets
        hostname = spec.hostname.flatMap { $0.isEmpty ? nil : $0 }
        domainname = spec.domainname.flatMap { $0.isEmpty ? nil : $0 }
        let containers = LaunchPlan.idMapping(linux, namespaces)
        let mounts = try spec.mounts.map { mount throws(RuntimeError) in
            try MountPlan(mount, bundle: bundle, containers: containers, rootfs: rootfs)
        }
        self.mounts = mounts
        if mounts.contains(where: \.isHostDevice) {
            devices = nil
        } else {
            let asked = try linux.devices.map { device throws(RuntimeError) in try DevicePlan(device) }
            devices = DevicePlan.defaults.filter { standard in !asked.contains { $0.path == standard.path } } + asked
        }
        sysctls = try SysctlPlan.all(linux.sysctl, namespaces: namespaces)
        // Covered once is enough.
        var covered: Set<String> = []
        maskedPaths = linux.maskedPaths.filter { covered.insert(MountPlan.cleaned($0)).inserted }
        readOnlyPaths = linux.readonlyPaths
        rootPropagation = try LaunchPlan.propagation(linux.rootfsPropagation)
        process = try ProcessPlan(
            spec.process ?? OCISpec.Process(cwd: "/"), needsProgram: spec.process != nil,
            grantable: try ProcessPlan.grantable(inUserNamespace: namespaces.has(.user)), warn: warn)
        hooks = spec.hooks ?? Hooks()
        personality = try linux.personality.map { value throws(RuntimeError) in try LaunchPlan.personality(value) }
        memoryPolicy = try linux.memoryPolicy.map { policy throws(RuntimeError) in try MemoryPolicyPlan(policy) }
        networkDevices = try NetworkDevicePlan.all(linux.netDevices, namespaces)
        rdt = try linux.intelRdt.map { value throws(RuntimeError) in try RdtPlan(value, id: id.text) }
        mountLabel = linux.mountLabel.flatMap { $0.isEmpty || !SecurityLabels.hasSELinux ? nil : $0 }
        cgroupsPath = linux.cgroupsPath ?? ""
        resources = linux.resources
        annotations = spec.annotations
        try validate()
    }

    private func validate() throws(RuntimeError) {
        if namespaces.creates(.user), uidMappings.isEmpty || gidMappings.isEmpty {
            throw RuntimeError("linux.uidMappings and linux.gidMappings are needed for a new user namespace")
        }
        if !namespaces.has(.user), !uidMappings.isEmpty || !gidMappings.isEmpty {
            throw RuntimeError("linux.uidMappings are there, but no user namespace in linux.namespaces")
        }
        if hostname != nil || domainname != nil, !namespaces.has(.uts) {
            throw RuntimeError("unable to set hostname or domainname without a private UTS namespace")
        }
        if !timeOffsets.isEmpty, !namespaces.creates(.time) {
            throw RuntimeError("linux.timeOffsets are there, but no new time namespace in linux.namespaces")
        }
    }

    /// What `idmap` without mappings of its own means.
    private static func idMapping(_ linux: LinuxSection, _ namespaces: NamespacePlan) -> MountPlan.IDMapping? {
        if namespaces.creates(.user) { return .own(uids: linux.uidMappings, gids: linux.gidMappings) }
        return namespaces.joined.first { $0.kind == .user }.map { .namespace(path: $0.path) }
    }

    /// Whether a path of the host's lies in the container's root, as far as text alone can tell.
    func isInsideRoot(_ path: String) -> Bool {
        MountPlan.cleaned(path).hasPrefix(MountPlan.cleaned(rootfs) + "/")
    }

    private static func propagation(_ name: String?) throws(RuntimeError) -> MountTree.Propagation {
        guard let name, !name.isEmpty else { return .slave }
        let plain = name.utf8.first == UInt8(ascii: "r") ? String(name.dropFirst()) : name
        guard let value = MountOptions.propagation(plain) else {
            throw RuntimeError("linux.rootfsPropagation: unknown value \"\(name)\"")
        }
        return value
    }

    static func personality(_ value: LinuxPersonality) throws(RuntimeError) -> UInt {
        if !value.flags.isEmpty { throw RuntimeError("linux.personality.flags are not supported") }
        switch value.domain {
        case "LINUX": return 0
        case "LINUX32": return 8
        default: throw RuntimeError("linux.personality.domain: unknown value \"\(value.domain)\"")
        }
    }
}
