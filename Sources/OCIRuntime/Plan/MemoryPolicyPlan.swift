import CLinux
import Glibc
import Linux
import OCISpec

/// On which memory nodes the process's memory lies (set_mempolicy(2)).
struct MemoryPolicyPlan: Sendable, Hashable {
    var mode: Int32
    /// A bit a node, lowest first.
    var nodes: [UInt64]

    /// linux/mempolicy.h.
    private static let modes = [
        "MPOL_DEFAULT", "MPOL_PREFERRED", "MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_LOCAL", "MPOL_PREFERRED_MANY",
        "MPOL_WEIGHTED_INTERLEAVE",
    ]
    private static let flags = [
        "MPOL_F_STATIC_NODES": Int32(1 << 15), "MPOL_F_RELATIVE_NODES": 1 << 14, "MPOL_F_NUMA_BALANCING": 1 << 13,
    ]

    init(_ policy: LinuxMemoryPolicy) throws(RuntimeError) {
        guard let number = MemoryPolicyPlan.modes.firstIndex(of: policy.mode) else {
            throw RuntimeError("invalid memory policy mode \"\(policy.mode)\"")
        }
        mode = Int32(number)
        for flag in policy.flags {
            guard let bit = MemoryPolicyPlan.flags[flag] else {
                throw RuntimeError("invalid memory policy flag \"\(flag)\"")
            }
            mode |= bit
        }
        nodes = []
        let list = policy.nodes ?? ""
        if !list.isEmpty {
            guard let set = ProcessorSet(list) else { throw RuntimeError("invalid memory policy node \"\(list)\"") }
            nodes = [UInt64](repeating: 0, count: (set.numbers.last ?? 0) / 64 + 1)
            for node in set.numbers { nodes[node / 64] |= 1 << UInt64(node % 64) }
            if policy.mode == "MPOL_DEFAULT" || policy.mode == "MPOL_LOCAL" {
                throw RuntimeError(
                    "invalid memory policy: \(policy.mode) mode requires 0 nodes but got \(set.numbers.count)")
            }
        } else if !["MPOL_DEFAULT", "MPOL_LOCAL", "MPOL_PREFERRED"].contains(policy.mode) {
            throw RuntimeError("invalid memory policy: \(policy.mode) mode requires at least one node")
        }
    }

    func apply() throws(RuntimeError) {
        // The kernel takes one bit off the number.
        let bits = nodes.isEmpty ? 0 : UInt(nodes.count * 64 + 1)
        try step("linux.memoryPolicy") { () throws(SystemError) in
            try check(
                nodes.withUnsafeBufferPointer { sys_set_mempolicy(mode, bits == 0 ? nil : $0.baseAddress, bits) },
                "set_mempolicy")
        }
    }
}
