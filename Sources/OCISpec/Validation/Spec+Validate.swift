extension Spec {
    /// Every place where the configuration breaks what the specification demands of Linux containers, in the
    /// configuration's order; empty for a good one.
    ///
    /// Says nothing of what only the host can tell (whether a path exists, a controller is there).
    public func validate() -> [SpecViolation] {
        var violations = Violations()
        validateVersion(&violations)
        if let root {
            violations.require(!root.path.isEmpty, "root.path", "it is missing", "config.md, Root")
            violations.text(root.path, "root.path", "config.md, Root")
        } else {
            violations.add("root", "it is missing", "config.md, Root")
        }
        process?.validate(&violations)
        validateNames(&violations)
        for (index, mount) in mounts.enumerated() { mount.validate("mounts[\(index)]", &violations) }
        hooks?.validate(&violations)
        linux?.validate(&violations)
        validateSysctl(&violations)
        return violations.found
    }

    /// The violations of a configuration that is to be started, which needs a program too.
    public func validateForStart() -> [SpecViolation] {
        guard let process else {
            return validate() + [
                SpecViolation(path: "process", message: "it is missing", clause: "config.md, Process")
            ]
        }
        guard process.args.isEmpty else { return validate() }
        return validate() + [
            SpecViolation(path: "process.args", message: "it is missing or empty", clause: "config.md, Process")
        ]
    }

    private func validateVersion(_ violations: inout Violations) {
        let clause = "config.md, Specification version"
        guard let major = SemanticVersion.major(ociVersion) else {
            violations.add("ociVersion", "'\(ociVersion)' is no version (SemVer 2.0.0)", clause)
            return
        }
        violations.require(
            major <= 1, "ociVersion", "'\(ociVersion)' is newer than what is understood here (\(Spec.version))", clause)
    }

    /// Without a namespace of its own the container would rename the host.
    private func validateNames(_ violations: inout Violations) {
        for (name, value) in [("hostname", hostname), ("domainname", domainname)] {
            guard let value, !value.isEmpty else { continue }
            let clause = name == "hostname" ? "config.md, Hostname" : "config.md, Domainname"
            violations.text(value, name, clause)
            violations.require(value.utf8.count <= 64, name, "it has more than the kernel's 64 bytes", clause)
            violations.require(
                linux?.has(.uts) ?? false, name, "it needs a uts namespace in linux.namespaces", clause)
        }
    }

    /// A kernel parameter that isn't the container's own would be the host's (CVE-2022-0811).
    private func validateSysctl(_ violations: inout Violations) {
        guard let linux else { return }
        let clause = "config-linux.md, Sysctl"
        for (name, value) in linux.sysctl.sorted(by: { $0.key < $1.key }) {
            let path = "linux.sysctl.\(name)"
            violations.text(name + value, path, clause)
            guard let namespace = Sysctl.namespace(of: name) else {
                violations.add(path, "it is not a parameter of a namespace; it would change the host", clause)
                continue
            }
            violations.require(
                linux.has(namespace), path, "it needs a \(namespace.rawValue) namespace in linux.namespaces", clause)
        }
    }
}

extension LinuxSection {
    /// Whether a namespace of this kind is made or joined.
    func has(_ type: LinuxNamespaceType) -> Bool { namespaces.contains { $0.type == type } }
}
