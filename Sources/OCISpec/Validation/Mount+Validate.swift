extension Mount {
    func validate(_ path: String, _ violations: inout Violations) {
        let clause = "config.md, Mounts"
        violations.require(!destination.isEmpty, path + ".destination", "it is missing", clause)
        violations.text(destination, path + ".destination", clause)
        violations.text(source ?? "", path + ".source", clause)
        violations.text(type ?? "", path + ".type", clause)
        for (index, option) in options.enumerated() { violations.text(option, path + ".options[\(index)]", clause) }
        let linux = "config.md, Linux mounts"
        violations.require(
            uidMappings.isEmpty == gidMappings.isEmpty, path + ".uidMappings",
            "uidMappings and gidMappings must be given together", linux)
        LinuxIDMapping.validate(uidMappings, path + ".uidMappings", linux, &violations)
        LinuxIDMapping.validate(gidMappings, path + ".gidMappings", linux, &violations)
    }
}

extension LinuxIDMapping {
    static func validate(_ mappings: [LinuxIDMapping], _ path: String, _ clause: String, _ violations: inout Violations)
    {
        for (index, mapping) in mappings.enumerated() {
            let place = "\(path)[\(index)]"
            violations.require(mapping.size > 0, place + ".size", "a range of no ids maps nothing", clause)
            violations.require(
                UInt64(mapping.containerID) + UInt64(mapping.size) <= 1 << 32
                    && UInt64(mapping.hostID) + UInt64(mapping.size) <= 1 << 32,
                place, "the range goes beyond the 32 bits of an id", clause)
        }
    }
}

extension Hooks {
    func validate(_ violations: inout Violations) {
        let clause = "config.md, POSIX-platform Hooks"
        let points = [
            ("prestart", prestart), ("createRuntime", createRuntime), ("createContainer", createContainer),
            ("startContainer", startContainer), ("poststart", poststart), ("poststop", poststop),
        ]
        for (name, hooks) in points {
            for (index, hook) in hooks.enumerated() {
                violations.absolute(hook.path, "hooks.\(name)[\(index)].path", clause)
                if let timeout = hook.timeout {
                    violations.require(
                        timeout > 0, "hooks.\(name)[\(index)].timeout", "\(timeout) is not greater than 0", clause)
                }
            }
        }
    }
}
