extension LinuxSeccomp {
    func validate(_ violations: inout Violations) {
        let clause = "config-linux.md, Seccomp"
        violations.oneOf(defaultAction, LinuxSeccomp.actions, "linux.seccomp.defaultAction", clause)
        violations.require(
            defaultAction != "SCMP_ACT_NOTIFY", "linux.seccomp.defaultAction",
            "SCMP_ACT_NOTIFY would ask about the very call that hands the descriptor over", clause)
        for (index, architecture) in architectures.enumerated() {
            violations.oneOf(
                architecture, LinuxSeccomp.allArchitectures, "linux.seccomp.architectures[\(index)]", clause)
        }
        for (index, flag) in (flags ?? []).enumerated() {
            violations.oneOf(flag, LinuxSeccomp.allFlags, "linux.seccomp.flags[\(index)]", clause)
        }
        if let listenerPath {
            violations.absolute(listenerPath, "linux.seccomp.listenerPath", clause)
        }
        violations.require(
            listenerMetadata == nil || listenerPath != nil, "linux.seccomp.listenerMetadata",
            "it needs listenerPath", clause)
        for (index, rule) in syscalls.enumerated() { rule.validate("linux.seccomp.syscalls[\(index)]", &violations) }
    }

    static let actions = [
        "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP", "SCMP_ACT_ERRNO",
        "SCMP_ACT_TRACE", "SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY",
    ]
    static let allArchitectures = [
        "SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64",
        "SCMP_ARCH_LOONGARCH64",
        "SCMP_ARCH_M68K", "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL",
        "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE",
        "SCMP_ARCH_S390", "SCMP_ARCH_S390X", "SCMP_ARCH_SH", "SCMP_ARCH_SHEB", "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64",
        "SCMP_ARCH_RISCV64",
    ]
    static let allFlags = [
        "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
        "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
    ]
}

extension LinuxSyscall {
    func validate(_ path: String, _ violations: inout Violations) {
        let clause = "config-linux.md, Seccomp"
        violations.require(!names.isEmpty, path + ".names", "it names no call", clause)
        violations.oneOf(action, LinuxSeccomp.actions, path + ".action", clause)
        for (index, argument) in args.enumerated() {
            violations.require(
                argument.index <= 5, "\(path).args[\(index)].index", "a call has arguments 0 to 5", clause)
            violations.oneOf(argument.op, LinuxSeccompArg.operators, "\(path).args[\(index)].op", clause)
        }
    }
}

extension LinuxSeccompArg {
    static let operators = [
        "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ",
    ]
}
