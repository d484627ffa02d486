import CRI
import OCISpec

/// What a pause container's spec is made from.
struct SandboxSpecInput: Sendable {
    var id: SandboxID
    var config: CRIPodSandboxConfig
    /// The directory that holds nothing but `pause`.
    var rootfs: String
    var netns: String?
    var hostname: String
    /// As the OCI runtime wants it: a path, or `slice:prefix:name` for systemd.
    var cgroupsPath: String
    var facts: HostFacts
    /// The pod's user namespace: its ids, and where it is mounted.
    var idMappings: IDMappings?
    var userNamespace: String = ""
    var handler = RuntimeHandler(path: "")
    var features = RuntimeFeatures()
}

/// Builds the runtime spec of a sandbox's pause container: the process that holds the pod's namespaces.
enum SandboxSpec {
    static func build(_ input: SandboxSpecInput) throws(CRIError) -> Spec {
        let config = input.config
        let security = config.linux.securityContext
        let options = security.namespaceOptions
        let hostNetwork = options.network == .node

        guard !security.hasRunAsGroup || security.hasRunAsUser else {
            throw CRIError(.invalidArgument, "pod sandbox: run_as_group without run_as_user")
        }
        var process = Process(args: ["/pause"], env: [ProcessPlan.defaultPath], cwd: "/")
        let uid = security.hasRunAsUser ? try UserDatabase.number(security.runAsUser.value, what: "run_as_user") : 0
        let gid = security.hasRunAsGroup ? try UserDatabase.number(security.runAsGroup.value, what: "run_as_group") : 0
        var groups = [gid]
        for group in security.supplementalGroups {
            groups.append(try UserDatabase.number(group, what: "supplemental group"))
        }
        process.user = User(uid: uid, gid: gid, additionalGids: groups)
        // It waits and reaps: no capability helps with that. CAP_KILL etc. would only be there to be stolen.
        process.capabilities = LinuxCapabilities()
        process.noNewPrivileges = true
        process.oomScoreAdj = input.facts.clamp(oomScoreAdj: -998)

        process.apparmorProfile = try AppArmor.profile(
            security.hasApparmor ? security.apparmor : nil, legacy: "", privileged: security.privileged,
            facts: input.facts)
        let labels = try SELinuxLabels.plan(
            container: nil, pod: security.hasSelinuxOptions ? security.selinuxOptions : nil, facts: input.facts)
        process.selinuxLabel = labels?.process

        var namespaces = [LinuxNamespace(type: .mount)]
        if input.idMappings != nil { namespaces.append(LinuxNamespace(type: .user, path: input.userNamespace)) }
        if options.pid != .node { namespaces.append(LinuxNamespace(type: .pid)) }
        if options.ipc != .node { namespaces.append(LinuxNamespace(type: .ipc)) }
        if let netns = input.netns {
            namespaces.append(LinuxNamespace(type: .network, path: netns))
            namespaces.append(LinuxNamespace(type: .uts))
        }
        namespaces.append(LinuxNamespace(type: .cgroup))

        var linux = LinuxSection()
        linux.namespaces = namespaces
        linux.cgroupsPath = input.cgroupsPath
        linux.uidMappings = input.idMappings?.uids ?? []
        linux.gidMappings = input.idMappings?.gids ?? []
        linux.mountLabel = labels?.mount
        linux.sysctl = try sysctls(config, hostNetwork: hostNetwork, mappings: input.idMappings)
        linux.maskedPaths = ContainerSpec.maskedPaths
        linux.readonlyPaths = ContainerSpec.readonlyPaths
        linux.resources = LinuxResources(
            devices: [LinuxDeviceCgroup(allow: false, access: "rwm")], cpu: LinuxCPU(shares: 2))
        linux.seccomp = seccomp(security, facts: input.facts)

        return Spec(
            ociVersion: input.features.specVersion, process: process, root: Root(path: input.rootfs, readonly: true),
            hostname: input.netns == nil ? nil : input.hostname,
            mounts: [
                Mount(destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"]),
                Mount(
                    destination: "/dev", type: "tmpfs", source: "tmpfs",
                    options: ["nosuid", "strictatime", "mode=755", "size=64k"]),
            ],
            annotations: annotations(input), linux: linux)
    }

    /// The names that other runtimes of the CRI use: OCI runtimes which put pods into virtual machines read them, and size the
    /// machine by the pod's resources.
    private static func annotations(_ input: SandboxSpecInput) -> [String: String] {
        let config = input.config
        var own = [
            "io.kubernetes.cri.container-type": "sandbox",
            "io.kubernetes.cri.sandbox-id": input.id.text,
            "io.kubernetes.cri.sandbox-name": config.metadata.name,
            "io.kubernetes.cri.sandbox-namespace": config.metadata.namespace,
            "io.kubernetes.cri.sandbox-uid": config.metadata.uid,
        ]
        if !config.logDirectory.isEmpty { own["io.kubernetes.cri.sandbox-log-directory"] = config.logDirectory }
        if config.linux.hasResources {
            let resources = config.linux.resources
            own["io.kubernetes.cri.sandbox-cpu-period"] = String(resources.cpuPeriod)
            own["io.kubernetes.cri.sandbox-cpu-quota"] = String(resources.cpuQuota)
            own["io.kubernetes.cri.sandbox-cpu-shares"] = String(resources.cpuShares)
            own["io.kubernetes.cri.sandbox-memory"] = String(resources.memoryLimitInBytes)
        }
        return RuntimeHandler.passed(config.annotations, through: input.handler.podAnnotations)
            .merging(own) { $1 }
    }

    /// The pod's kernel parameters, checked one by one, over two that every pod of its own network gets: ports below 1024
    /// and ping need no privilege there.
    static func sysctls(
        _ config: CRIPodSandboxConfig, hostNetwork: Bool, mappings: IDMappings? = nil
    ) throws(CRIError) -> [String: String] {
        let hostIPC = config.linux.securityContext.namespaceOptions.ipc == .node
        var result: [String: String] = [:]
        if !hostNetwork {
            result["net.ipv4.ip_unprivileged_port_start"] = "0"
            // The kernel takes only groups that the pod's user namespace has.
            let last = mappings.map { $0.gids.first { $0.containerID == 0 }?.size ?? 0 } ?? 1 << 31
            if last > 0 { result["net.ipv4.ping_group_range"] = "0 \(last - 1)" }
        }
        for (name, value) in config.linux.sysctls {
            if let refusal = Sysctls.refusal(name: name, value: value, hostNetwork: hostNetwork, hostIPC: hostIPC) {
                throw CRIError(.invalidArgument, refusal)
            }
            result[Sysctls.canonical(name)] = value
        }
        return result
    }

    /// A few calls are all that pause makes, so its filter is small, quick to compile, and tighter than the default.
    private static func seccomp(_ security: CRILinuxSandboxSecurityContext, facts: HostFacts) -> LinuxSeccomp? {
        guard security.hasSeccomp, security.seccomp.profileType != .unconfined, !security.privileged else { return nil }
        return LinuxSeccomp(
            defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 1, architectures: facts.seccompArchitectures,
            syscalls: [LinuxSyscall(names: pauseCalls, action: "SCMP_ACT_ALLOW")])
    }

    /// What a runtime's init does after it loaded the filter, what a static libc does before `main`, and what pause does.
    private static let pauseCalls = [
        "access", "arch_prctl", "brk", "capget", "capset", "chdir", "close", "close_range", "dup", "dup2", "dup3",
        "epoll_ctl", "epoll_pwait", "eventfd2", "execve", "exit", "exit_group", "faccessat", "faccessat2", "fchdir",
        "fcntl", "fcntl64", "fstat", "fstat64", "fstatfs", "futex", "getdents64", "getegid", "geteuid", "getgid",
        "getpid", "getppid", "getrandom", "getuid", "gettid", "lseek", "madvise", "mmap", "mmap2", "mprotect",
        "munmap", "nanosleep", "newfstatat", "open", "openat", "openat2", "pause", "ppoll", "prctl", "pread64",
        "prlimit64", "read", "readlink", "readlinkat", "restart_syscall", "rseq", "rt_sigaction", "rt_sigprocmask",
        "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait", "sched_getaffinity", "sched_yield", "set_robust_list",
        "set_thread_area", "set_tid_address", "setgid", "setgroups", "setuid", "sigaltstack", "sigprocmask",
        "sigreturn", "stat", "statx", "tgkill", "uname", "wait4", "waitid", "waitpid", "write", "writev",
    ]
}
