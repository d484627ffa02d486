extension LinuxSection {
    func validate(_ violations: inout Violations) {
        validateNamespaces(&violations)
        validateDevices(&violations)
        resources?.validate(&violations)
        seccomp?.validate(&violations)
        if let rootfsPropagation {
            violations.oneOf(
                rootfsPropagation,
                ["private", "shared", "slave", "unbindable", "rprivate", "rshared", "rslave", "runbindable"],
                "linux.rootfsPropagation", "config-linux.md, Rootfs Mount Propagation")
        }
        for (index, path) in maskedPaths.enumerated() {
            violations.absolute(path, "linux.maskedPaths[\(index)]", "config-linux.md, Masked Paths")
        }
        for (index, path) in readonlyPaths.enumerated() {
            violations.absolute(path, "linux.readonlyPaths[\(index)]", "config-linux.md, Readonly Paths")
        }
        if let personality {
            let clause = "config-linux.md, Personality"
            violations.oneOf(personality.domain, ["LINUX", "LINUX32"], "linux.personality.domain", clause)
            violations.require(
                personality.flags.isEmpty, "linux.personality.flags", "no flags are defined", clause)
        }
        if let memoryPolicy {
            let clause = "config-linux.md, Memory policy"
            violations.require(
                LinuxMemoryPolicy.modes.contains(memoryPolicy.mode), "linux.memoryPolicy.mode",
                "invalid memory policy mode '\(memoryPolicy.mode)', it is none of "
                    + LinuxMemoryPolicy.modes.joined(separator: ", "), clause)
            violations.numberList(memoryPolicy.nodes, "linux.memoryPolicy.nodes", clause)
            for (index, flag) in memoryPolicy.flags.enumerated() {
                violations.require(
                    LinuxMemoryPolicy.allFlags.contains(flag), "linux.memoryPolicy.flags[\(index)]",
                    "invalid memory policy flag '\(flag)', it is none of "
                        + LinuxMemoryPolicy.allFlags.joined(separator: ", "), clause)
            }
        }
        if let intelRdt {
            let clause = "config-linux.md, IntelRdt"
            let lines = intelRdt.schemata + [intelRdt.l3CacheSchema, intelRdt.memBwSchema].compactMap { $0 }
            for line in lines where line.contains("\n") {
                violations.add("linux.intelRdt", "a schema is one line", clause)
            }
            if let schema = intelRdt.memBwSchema {
                violations.require(
                    schema.hasPrefix("MB:"), "linux.intelRdt.memBwSchema", "it must begin with MB:", clause)
            }
            let bad = intelRdt.closID.map {
                $0.isEmpty || $0 == "." || $0 == ".." || $0.contains("/") || $0.contains("\n")
            }
            violations.require(bad != true, "linux.intelRdt.closID", "it must be a directory's name", clause)
        }
    }

    private func validateNamespaces(_ violations: inout Violations) {
        let clause = "config-linux.md, Namespaces"
        var seen: Set<LinuxNamespaceType> = []
        for (index, namespace) in namespaces.enumerated() {
            let path = "linux.namespaces[\(index)]"
            violations.oneOf(
                namespace.type.rawValue, LinuxNamespaceType.all.map(\.rawValue), path + ".type", clause)
            violations.require(
                seen.insert(namespace.type).inserted, path + ".type", "'\(namespace.type.rawValue)' is there twice",
                clause)
            if let target = namespace.path, !target.isEmpty { violations.absolute(target, path + ".path", clause) }
        }
        let mapping = "config-linux.md, User namespace mappings"
        LinuxIDMapping.validate(uidMappings, "linux.uidMappings", mapping, &violations)
        LinuxIDMapping.validate(gidMappings, "linux.gidMappings", mapping, &violations)
        violations.require(
            (uidMappings.isEmpty && gidMappings.isEmpty) || seen.contains(.user), "linux.uidMappings",
            "it needs a user namespace in linux.namespaces", mapping)
        let offsets = "config-linux.md, Offset for Time Namespace"
        violations.require(
            timeOffsets.isEmpty || seen.contains(.time), "linux.timeOffsets",
            "it needs a time namespace in linux.namespaces", offsets)
        for (clock, offset) in timeOffsets.sorted(by: { $0.key < $1.key }) {
            violations.oneOf(clock, ["boottime", "monotonic"], "linux.timeOffsets", offsets)
            violations.require(
                offset.nanosecs < 1_000_000_000, "linux.timeOffsets.\(clock).nanosecs", "a second has fewer", offsets)
        }
    }

    private func validateDevices(_ violations: inout Violations) {
        let clause = "config-linux.md, Devices"
        var seen: [String: LinuxDevice] = [:]
        for (index, device) in devices.enumerated() {
            let path = "linux.devices[\(index)]"
            violations.absolute(device.path, path + ".path", clause)
            violations.oneOf(device.type, ["c", "b", "u", "p"], path + ".type", clause)
            if device.type != "p" {
                for (name, number) in [("major", device.major), ("minor", device.minor)] {
                    violations.require(
                        number.map { $0 >= 0 && $0 <= UInt32.max } ?? false, "\(path).\(name)",
                        number.map { "\($0) is no device number" } ?? "it is missing", clause)
                }
            }
            // podman writes the type's bits along with the permissions, as stat(2) gives them.
            violations.require(
                device.fileMode ?? 0 <= 0o177777, path + ".fileMode", "it has bits beyond those of a mode", clause)
            if let other = seen[device.path], other != device {
                violations.add(path + ".path", "'\(device.path)' is there twice, as different devices", clause)
            }
            seen[device.path] = device
        }
        for (name, device) in netDevices.sorted(by: { $0.key < $1.key }) {
            let clause = "config-linux.md, Network Devices"
            for interface in [name, device.name].compactMap({ $0 }) where !LinuxNetDevice.isName(interface) {
                violations.add("linux.netDevices.\(name)", "'\(interface)' is no interface's name", clause)
            }
            violations.require(
                has(.network), "linux.netDevices.\(name)", "it needs a network namespace in linux.namespaces", clause)
        }
    }
}

extension LinuxNetDevice {
    /// What the kernel takes as a name (dev_valid_name).
    static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count < 16 && name != "." && name != ".."
            && !name.utf8.contains { $0 <= 0x20 || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ":") || $0 == 0x7F }
    }
}

extension LinuxMemoryPolicy {
    static let modes = [
        "MPOL_DEFAULT", "MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_WEIGHTED_INTERLEAVE", "MPOL_PREFERRED",
        "MPOL_PREFERRED_MANY",
        "MPOL_LOCAL",
    ]
    static let allFlags = ["MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES"]
}
