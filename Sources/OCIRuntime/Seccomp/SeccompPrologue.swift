import CSeccomp
import Glibc
import OCISpec

/// Instructions in front of a filter: a call that is newer than every one that the profile names gets ENOSYS instead of the
/// default action's errno, so that programs fall back to what they did on older kernels. runc does the same.
enum SeccompPrologue {
    /// The greatest number that the profile names, by architecture as audit(7) numbers it.
    struct Architecture: Hashable {
        var audit: UInt32
        var greatest: UInt32
        /// x86-64 numbers its 32-bit variant's calls from 2^30 on; 0 elsewhere and where the profile doesn't have it.
        var greatestX32: UInt32 = 0
    }

    /// AUDIT_ARCH_X86_64 (linux/audit.h).
    private static let x86: UInt32 = 0xc000_003e
    private static let x32Bit: UInt32 = 0x4000_0000

    /// Whether calls that no rule names are refused with anything but ENOSYS.
    static func isWanted(_ section: LinuxSeccomp) -> Bool {
        switch section.defaultAction {
        case "SCMP_ACT_ALLOW", "SCMP_ACT_LOG": false
        case "SCMP_ACT_ERRNO": section.defaultErrnoRet != UInt32(ENOSYS)
        default: true
        }
    }

    /// - Parameter tokens: libseccomp's names of the filter's architectures.
    static func architectures(_ section: LinuxSeccomp, tokens: [UInt32]) -> [Architecture] {
        var found: [Architecture] = []
        let x32: UInt32 = 0x4000_003e
        for token in tokens {
            var greatest: UInt32?
            for rule in section.syscalls {
                for name in rule.names {
                    let number = seccomp_syscall_resolve_name_arch(token, name)
                    // Negative numbers are the library's own, for calls that the architecture doesn't have.
                    if number >= 0 { greatest = max(greatest ?? 0, UInt32(number)) }
                }
            }
            guard let greatest else { continue }
            let audit = token == x32 ? x86 : token
            let index = found.firstIndex { $0.audit == audit } ?? found.count
            if index == found.count { found.append(Architecture(audit: audit, greatest: 0)) }
            if token == x32 {
                found[index].greatestX32 = greatest | x32Bit
            } else {
                found[index].greatest = greatest
            }
        }
        return found
    }

    /// struct sock_filter: code, jump if true, jump if false, value.
    private static func instruction(_ code: UInt16, _ ifTrue: UInt8, _ ifFalse: UInt8, _ value: UInt32) -> [UInt8] {
        [UInt8(truncatingIfNeeded: code), UInt8(code >> 8), ifTrue, ifFalse]
            + (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32($0 * 8)) }
    }

    /// The filter with the prologue; it goes on with its own first instruction, which loads what it needs anew.
    static func prepended(to program: [UInt8], _ architectures: [Architecture]) -> [UInt8] {
        let load: UInt16 = 0x20
        let jumpIfEqual: UInt16 = 0x15
        let jumpIfGreater: UInt16 = 0x25
        let jumpIfNotLess: UInt16 = 0x35
        let jump: UInt16 = 0x05
        let answer: UInt16 = 0x06
        let noSystemCall = 0x0005_0000 | UInt32(ENOSYS)
        var prologue = instruction(load, 0, 0, 4)  // struct seccomp_data, arch
        var blocks: [[UInt8]] = []
        for architecture in architectures {
            var block = instruction(load, 0, 0, 0)  // nr
            let isX86 = architecture.audit == x86
            if isX86 {
                if architecture.greatestX32 != 0 {
                    block += instruction(jumpIfNotLess, 0, 2, x32Bit)
                    block += instruction(jumpIfGreater, 2, 0, architecture.greatestX32)
                    block += instruction(jump, 0, 0, 2)
                    block += instruction(jumpIfGreater, 0, 1, architecture.greatest)
                } else {
                    // The library's own rules have the last word on a variant that the profile doesn't have.
                    block += instruction(jumpIfNotLess, 2, 0, x32Bit)
                    block += instruction(jumpIfGreater, 0, 1, architecture.greatest)
                }
            } else {
                block += instruction(jumpIfGreater, 0, 1, architecture.greatest)
            }
            block += instruction(answer, 0, 0, noSystemCall)
            blocks.append(block)
        }
        // Each block is followed by a jump to the filter's start.
        var rest = blocks.reduce(0) { $0 + $1.count / 8 + 2 }
        for (architecture, block) in zip(architectures, blocks) {
            let length = block.count / 8
            rest -= length + 2
            prologue += instruction(jumpIfEqual, 0, UInt8(length + 1), architecture.audit)
            prologue += block
            prologue += instruction(jump, 0, 0, UInt32(rest))
        }
        return prologue + program
    }
}
