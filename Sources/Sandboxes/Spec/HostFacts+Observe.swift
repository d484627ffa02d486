import Cgroups
import Glibc
import Linux

extension HostFacts {
    /// Looks at this host and this process.
    static func observe(_ cgroups: CgroupHost) -> HostFacts {
        #if arch(x86_64)
            let family = SeccompArchitecture.x86
            let architectures = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]
        #elseif arch(arm64)
            let family = SeccompArchitecture.arm
            let architectures = ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]
        #else
            let family = SeccompArchitecture.other
            let architectures: [String] = []
        #endif
        let v2 = cgroups.mode == .v2
        let status = text("/proc/self/status")
        let effective = mask("CapEff:", in: status)
        let bounding = mask("CapBnd:", in: status)
        let systemResource: UInt64 = 1 << 24
        let own = Int(text("/proc/self/oom_score_adj").prefix { $0 != "\n" }) ?? 0
        return HostFacts(
            seccompArchitecture: family, seccompArchitectures: architectures, cgroupsV2: v2,
            hugetlb: cgroups.has("hugetlb"),
            swapAccounting: v2
                ? File.exists("/proc/swaps") : File.exists("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes"),
            capabilities: Set(
                Capabilities.all.enumerated().filter { bounding & (1 << UInt64($0.offset)) != 0 }.map(\.element)),
            lowestOOMScoreAdj: effective & systemResource != 0 ? nil : own,
            appArmor: text("/sys/module/apparmor/parameters/enabled").hasPrefix("Y"),
            selinux: File.exists("/sys/fs/selinux/enforce"), hostname: currentHostname(),
            processors: possible("cpu"), memoryNodes: possible("node"))
    }

    /// The file ends with the highest number: `0-7` (Documentation/admin-guide/cputopology.rst). A kernel without has one node.
    private static func possible(_ kind: String) -> Int {
        let last = text("/sys/devices/system/\(kind)/possible").split { $0 == "-" || $0 == "," || $0 == "\n" }.last
        return (last.flatMap { Int($0) } ?? 0) + 1
    }

    /// The node's name right now: a container on the host's network shares it.
    static func currentHostname() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, 255) == 0 else { return "localhost" }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// The AppArmor profiles that are loaded right now: lines like `docker-default (enforce)`.
    static func loadedAppArmorProfiles() -> Set<String> {
        Set(
            text("/sys/kernel/security/apparmor/profiles").split(separator: "\n").map { line in
                String(line.lastIndex(of: " ").map { line[..<$0] } ?? line)
            })
    }

    /// Empty for a file that isn't there: absence is an answer here.
    private static func text(_ path: String) -> String { (try? File.readText(path, limit: 1 << 20)) ?? "" }

    private static func mask(_ name: String, in status: String) -> UInt64 {
        for line in status.split(separator: "\n") where line.hasPrefix(name) {
            return UInt64(line.dropFirst(name.count).filter { $0 != "\t" && $0 != " " }, radix: 16) ?? 0
        }
        return 0
    }
}
