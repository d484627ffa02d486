/// What the specs of containers depend on besides their configs; looked up once, when the engine starts.
struct HostFacts: Sendable, Equatable {
    var seccompArchitecture: SeccompArchitecture
    /// libseccomp's names of the host's architecture and those that it can also run: `SCMP_ARCH_X86_64`, …
    var seccompArchitectures: [String]
    /// Only the unified hierarchy is mounted.
    var cgroupsV2: Bool
    /// A hugetlb controller that containers can be put into.
    var hugetlb: Bool
    /// Swap is accounted (`memory.swap.max`, `memory.memsw.limit_in_bytes`).
    var swapAccounting: Bool
    /// The capabilities that this process can hand on: its bounding set.
    var capabilities: Set<String>
    /// This process's own `oom_score_adj`, below which it can't go without CAP_SYS_RESOURCE; nil when it can.
    var lowestOOMScoreAdj: Int?
    var appArmor: Bool
    var selinux: Bool
    /// The node's host name.
    var hostname: String
    /// How many processors and memory nodes the kernel may ever have: numbers in a cpuset are below.
    var processors = Int.max
    var memoryNodes = Int.max
    /// The names of the AppArmor profiles that are loaded.
    var appArmorProfiles: Set<String> = []

    /// What is asked for, not below what the kernel would refuse (proc_pid_oom_score_adj(5)).
    func clamp(oomScoreAdj asked: Int64) -> Int {
        let asked = Int(max(-1000, min(1000, asked)))
        guard let lowestOOMScoreAdj else { return asked }
        return max(asked, lowestOOMScoreAdj)
    }
}
