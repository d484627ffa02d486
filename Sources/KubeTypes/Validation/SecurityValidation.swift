extension PodValidation {
    /// The privileges of one container.
    mutating func containerSecurity(_ context: SecurityContext?, _ path: FieldPath) {
        guard let context else { return }
        identity(context.runAsUser, path.field("runAsUser"))
        identity(context.runAsGroup, path.field("runAsGroup"))
        if context.allowPrivilegeEscalation == false {
            let field = path.field("allowPrivilegeEscalation")
            if context.privileged == true {
                report(
                    .invalid(field, false, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"))
            }
            let added = context.capabilities?.add ?? []
            if added.contains(where: { ["CAP_SYS_ADMIN", "SYS_ADMIN"].contains($0.uppercased()) }) {
                report(
                    .invalid(
                        field, false,
                        "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"))
            }
        }
        if let type = context.procMount {
            check(path.field("procMount"), type, oneOf: [.default, .unmasked])
            if type == .unmasked, pod.spec.hostUsers != false {
                report(
                    .invalid(
                        path.field("procMount"), type.rawValue, "`hostUsers` must be false to use `Unmasked`"))
            }
        }
        seccomp(context.seccompProfile, path.field("seccompProfile"))
        appArmor(context.appArmorProfile, path.field("appArmorProfile"))
    }

    /// The privileges of the pod.
    mutating func podSecurity(_ path: FieldPath) {
        guard let context = pod.spec.securityContext else { return }
        identity(context.runAsUser, path.field("runAsUser"))
        identity(context.runAsGroup, path.field("runAsGroup"))
        identity(context.fsGroup, path.field("fsGroup"))
        for (index, group) in context.supplementalGroups.enumerated() {
            identity(group, path.field("supplementalGroups").index(index))
        }
        if let policy = context.fsGroupChangePolicy, !["Always", "OnRootMismatch"].contains(policy) {
            report(.unsupported(path.field("fsGroupChangePolicy"), policy, ["Always", "OnRootMismatch"]))
        }
        if let policy = context.supplementalGroupsPolicy, !["Merge", "Strict"].contains(policy) {
            report(.unsupported(path.field("supplementalGroupsPolicy"), policy, ["Merge", "Strict"]))
        }
        seccomp(context.seccompProfile, path.field("seccompProfile"))
        appArmor(context.appArmorProfile, path.field("appArmorProfile"))
        sysctls(context.sysctls, path.field("sysctls"))
    }

    private mutating func identity(_ id: Int64?, _ path: FieldPath) {
        if let id, !(0...Int64(Int32.max)).contains(id) {
            report(.invalid(path, id, "must be between 0 and 2147483647, inclusive"))
        }
    }

    private mutating func seccomp(_ profile: SeccompProfile?, _ path: FieldPath) {
        guard let profile else { return }
        check(path.field("type"), profile.type, oneOf: [.localhost, .runtimeDefault, .unconfined])
        localProfile(profile.localhostProfile, profile.type.rawValue, path, "seccomp")
    }

    private mutating func appArmor(_ profile: AppArmorProfile?, _ path: FieldPath) {
        guard let profile else { return }
        check(path.field("type"), profile.type, oneOf: [.localhost, .runtimeDefault, .unconfined])
        localProfile(profile.localhostProfile, profile.type.rawValue, path, "AppArmor")
    }

    private mutating func localProfile(_ name: String?, _ type: String, _ path: FieldPath, _ what: String) {
        let field = path.field("localhostProfile")
        if type == "Localhost" {
            guard let name, !name.isEmpty else {
                report(.required(field, "must be set when \(what) type is Localhost"))
                return
            }
            if name.hasPrefix("/") { report(.invalid(field, name, "must be a relative path")) }
            noBackSteps(name, field)
        } else if let name {
            report(.invalid(field, name, "can only be set when \(what) type is Localhost"))
        }
    }

    private mutating func sysctls(_ sysctls: [Sysctl], _ path: FieldPath) {
        var seen: Set<String> = []
        for (index, sysctl) in sysctls.enumerated() {
            let field = path.index(index).field("name")
            guard !sysctl.name.isEmpty else {
                report(.required(field))
                continue
            }
            guard Names.isSysctl(sysctl.name) else {
                report(
                    .invalid(
                        field, sysctl.name,
                        "must have at most 253 characters and match regex "
                            + "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*([a-z0-9][-_a-z0-9]*)?[a-z0-9]$"))
                continue
            }
            let name = String(sysctl.name.map { $0 == "/" ? "." : $0 })
            if !seen.insert(name).inserted { report(.duplicate(field, sysctl.name)) }
            if pod.spec.hostNetwork, name.hasPrefix("net.") {
                report(.invalid(field, sysctl.name, "may not be specified when 'hostNetwork' is true"))
            }
            let isIPC =
                ["kernel.shm", "kernel.msg", "fs.mqueue."].contains { name.hasPrefix($0) } || name == "kernel.sem"
            if pod.spec.hostIPC, isIPC {
                report(.invalid(field, sysctl.name, "may not be specified when 'hostIPC' is true"))
            }
            if sysctl.value.utf8.contains(where: { $0 == 0 || $0 == 0x0A }) {
                report(
                    .invalid(path.index(index).field("value"), sysctl.value, "must be one line"))
            }
        }
    }
}
