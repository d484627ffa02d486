/// The device rules as a program for BPF_PROG_TYPE_CGROUP_DEVICE, which takes the place of v1's list on v2.
///
/// For each kind of access that is asked for the last rule that names the device decides; without one it is allowed, as in
/// a v1 group that nobody restricted. The context has the kind of access and of device, the major and the minor number in
/// 32-bit words (linux/bpf.h, struct bpf_cgroup_dev_ctx).
public struct DeviceProgram: Sendable, Hashable {
    /// 8-byte instructions in the machine's byte order.
    public private(set) var instructions: [UInt64] = []

    /// Translates the rules, followed by what every container may do.
    public init(rules: [DeviceRule]) {
        // r2: kind of device, r3: access still to be decided, r4: major, r5: minor
        emit(.loadWord, to: 2, from: 1, offset: 0)
        emit(.move, to: 3, from: 2)
        emit(.shiftRight, to: 3, value: 16)
        emit(.and, to: 2, value: 0xFFFF)
        emit(.loadWord, to: 4, from: 1, offset: 4)
        emit(.loadWord, to: 5, from: 1, offset: 8)
        for rule in (rules + DeviceRule.defaults).reversed() {
            append(rule)
            // What follows could never run, and the verifier refuses that.
            if rule.kind == .all, rule.major == nil, rule.minor == nil, rule.access == .all { return }
        }
        answer(allow: true)
    }

    private mutating func append(_ rule: DeviceRule) {
        var skips: [Int] = []
        func number(_ value: UInt32) -> Int32 { Int32(truncatingIfNeeded: value) }
        switch rule.kind {
        case .all: break
        case .block:
            skips.append(instructions.count)
            emit(.jumpIfNotEqual, to: 2, value: 1)
        case .character:
            skips.append(instructions.count)
            emit(.jumpIfNotEqual, to: 2, value: 2)
        }
        if let major = rule.major {
            skips.append(instructions.count)
            emit(.jumpIfNotEqual, to: 4, value: number(major))
        }
        if let minor = rule.minor {
            skips.append(instructions.count)
            emit(.jumpIfNotEqual, to: 5, value: number(minor))
        }
        if rule.access != .all {
            if rule.allow {
                emit(.and, to: 3, value: ~number(rule.access.rawValue))
                skips.append(instructions.count)
                emit(.jumpIfNotEqual, to: 3, value: 0)
            } else {
                emit(.jumpIfAnyBit, to: 3, offset: 1, value: number(rule.access.rawValue))
                skips.append(instructions.count)
                emit(.jump)
            }
        }
        answer(allow: rule.allow)
        for index in skips {
            let distance = UInt16(truncatingIfNeeded: instructions.count - index - 1)
            instructions[index] |= UInt64(distance) << 16
        }
    }

    private mutating func answer(allow: Bool) {
        emit(.moveValue, to: 0, value: allow ? 1 : 0)
        emit(.exit)
    }

    private enum Operation: UInt64 {
        case loadWord = 0x61
        case move = 0xBF
        case moveValue = 0xB7
        case shiftRight = 0x77
        case and = 0x57
        case jump = 0x05
        case jumpIfNotEqual = 0x55
        case jumpIfAnyBit = 0x45
        case exit = 0x95
    }

    /// struct bpf_insn: code, registers, offset, immediate value.
    private mutating func emit(
        _ operation: Operation, to target: UInt64 = 0, from source: UInt64 = 0, offset: Int16 = 0, value: Int32 = 0
    ) {
        let registers = source << 4 | target
        let jump = UInt64(UInt16(bitPattern: offset))
        let immediate = UInt64(UInt32(bitPattern: value))
        instructions.append(operation.rawValue | registers << 8 | jump << 16 | immediate << 32)
    }
}
