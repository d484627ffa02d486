import CLinux
import CSeccomp
import Glibc
import Linux
import OCISpec

/// Turns the configuration's rules into a program, through libseccomp.
enum SeccompCompiler {
    static func compile(_ section: LinuxSeccomp) throws(RuntimeError) -> SeccompProgram {
        let standard = try action(section.defaultAction, errnoRet: section.defaultErrnoRet)
        if standard == notify { throw RuntimeError("linux.seccomp: SCMP_ACT_NOTIFY cannot be used as default action") }
        guard let context = seccomp_init(standard) else {
            throw RuntimeError("linux.seccomp.defaultAction \(section.defaultAction): libseccomp refuses it")
        }
        defer { seccomp_release(context) }
        // The host's own architecture is there already; the others are what the configuration asks for.
        var tokens = [seccomp_arch_native()]
        for name in section.architectures {
            let token = try addArchitecture(name, to: context)
            if !tokens.contains(token) { tokens.append(token) }
        }
        // A rule that nothing matches in time is no reason to fail: no_new_privs is the launch's business, not the library's.
        seccomp_attr_set(context, SCMP_FLTATR_CTL_NNP, 0)
        // Compare by a binary tree: a few comparisons a call instead of hundreds.
        seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2)
        for rule in section.syscalls { try add(rule, standard: standard, to: context) }
        var bytes = try export(context)
        if SeccompPrologue.isWanted(section) {
            bytes = SeccompPrologue.prepended(
                to: bytes, SeccompPrologue.architectures(section, tokens: tokens))
        }
        if bytes.count / 8 > 4096 {
            throw RuntimeError("linux.seccomp: the filter has \(bytes.count / 8) instructions; the kernel takes 4096")
        }
        return SeccompProgram(bytes: bytes, flags: try flags(section))
    }

    private static func addArchitecture(
        _ name: String, to context: scmp_filter_ctx
    ) throws(RuntimeError) -> UInt32 {
        guard name.hasPrefix("SCMP_ARCH_") else {
            throw RuntimeError("linux.seccomp.architectures: unknown \"\(name)\"")
        }
        let token = seccomp_arch_resolve_name(name.dropFirst("SCMP_ARCH_".utf8.count).lowercased())
        if token == 0 { throw RuntimeError("linux.seccomp.architectures: unknown \"\(name)\"") }
        let result = seccomp_arch_add(context, token)
        if result < 0, result != -EEXIST {
            throw RuntimeError("linux.seccomp.architectures: \(name): \(Errno(rawValue: -result))")
        }
        return token
    }

    private static func add(_ rule: LinuxSyscall, standard: UInt32, to context: scmp_filter_ctx) throws(RuntimeError) {
        let action = try action(rule.action, errnoRet: rule.errnoRet)
        if action == standard { return }
        if action == notify, rule.names.contains("write") {
            // What engines rely on with runc, whose own processes would wait for the agent for ever.
            throw RuntimeError("linux.seccomp: SCMP_ACT_NOTIFY cannot be used for the write syscall")
        }
        let comparisons = try rule.args.map { argument throws(RuntimeError) in try comparison(argument) }
        // Two conditions on one argument can't be one rule for libseccomp: they count as alternatives, as with runc.
        let separate = Set(comparisons.map(\.arg)).count < comparisons.count
        for name in rule.names {
            let number = seccomp_syscall_resolve_name(name)
            // A call that this libseccomp doesn't know: its number can't come up in the rules, so the default action stands.
            if number == -1 { continue }
            var result: Int32 = 0
            if separate {
                for one in comparisons where result == 0 {
                    result = seccomp_rule_add_array(context, action, number, 1, [one])
                }
            } else {
                result = seccomp_rule_add_array(context, action, number, UInt32(comparisons.count), comparisons)
            }
            if result < 0, result != -EEXIST {
                throw RuntimeError("linux.seccomp.syscalls: \(name): \(Errno(rawValue: -result))")
            }
        }
    }

    private static func comparison(_ argument: LinuxSeccompArg) throws(RuntimeError) -> scmp_arg_cmp {
        let operators: [String: scmp_compare] = [
            "SCMP_CMP_NE": SCMP_CMP_NE, "SCMP_CMP_LT": SCMP_CMP_LT, "SCMP_CMP_LE": SCMP_CMP_LE,
            "SCMP_CMP_EQ": SCMP_CMP_EQ,
            "SCMP_CMP_GE": SCMP_CMP_GE, "SCMP_CMP_GT": SCMP_CMP_GT, "SCMP_CMP_MASKED_EQ": SCMP_CMP_MASKED_EQ,
        ]
        guard let op = operators[argument.op] else {
            throw RuntimeError("linux.seccomp.syscalls: unknown comparison \"\(argument.op)\"")
        }
        if argument.index > 5 {
            throw RuntimeError("linux.seccomp.syscalls: argument index \(argument.index) is above 5")
        }
        return scmp_arg_cmp(arg: argument.index, op: op, datum_a: argument.value, datum_b: argument.valueTwo)
    }

    /// The kernel's SECCOMP_RET_… values, as libseccomp has them.
    private static func action(_ name: String, errnoRet: UInt32?) throws(RuntimeError) -> UInt32 {
        let number = errnoRet ?? UInt32(EPERM)
        if number > 0xffff { throw RuntimeError("linux.seccomp: errnoRet \(number) is above 65535") }
        switch name {
        case "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD": return 0
        case "SCMP_ACT_KILL_PROCESS": return 0x8000_0000
        case "SCMP_ACT_TRAP": return 0x0003_0000
        case "SCMP_ACT_ERRNO": return 0x0005_0000 | number
        case "SCMP_ACT_TRACE": return 0x7ff0_0000 | number
        case "SCMP_ACT_LOG": return 0x7ffc_0000
        case "SCMP_ACT_ALLOW": return 0x7fff_0000
        case "SCMP_ACT_NOTIFY": return notify
        default: throw RuntimeError("linux.seccomp: unknown action \"\(name)\"")
        }
    }

    private static let notify: UInt32 = 0x7fc0_0000

    private static func flags(_ section: LinuxSeccomp) throws(RuntimeError) -> UInt32 {
        let notifies = section.syscalls.contains { $0.action == "SCMP_ACT_NOTIFY" }
        var bits: UInt32 = section.flags == nil ? SeccompProgram.specAllow : 0
        if notifies {
            if section.listenerPath?.isEmpty ?? true {
                throw RuntimeError("linux.seccomp: SCMP_ACT_NOTIFY needs a listenerPath")
            }
            bits |= SeccompProgram.newListener
        }
        for name in section.flags ?? [] {
            switch name {
            // One thread loads the filter: there is nobody to synchronise with.
            case "SECCOMP_FILTER_FLAG_TSYNC": break
            case "SECCOMP_FILTER_FLAG_LOG": bits |= 2
            case "SECCOMP_FILTER_FLAG_SPEC_ALLOW": bits |= SeccompProgram.specAllow
            case "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV":
                // Only a filter with a listener has anybody to wait for.
                if notifies { bits |= SeccompProgram.waitKillable }
            default: throw RuntimeError("linux.seccomp.flags: unknown \"\(name)\"")
            }
        }
        return bits
    }

    private static func export(_ context: scmp_filter_ctx) throws(RuntimeError) -> [UInt8] {
        try step("linux.seccomp") { () throws(SystemError) in
            let file = Descriptor(owning: try check(sys_memfd_create("seccomp", 1), "memfd_create"))
            try check(seccomp_export_bpf(context, file.raw), "compile the filter")
            try checkErrno(lseek(file.raw, 0, SEEK_SET), "lseek")
            return try file.readAll(limit: 1 << 20)
        }
    }
}
