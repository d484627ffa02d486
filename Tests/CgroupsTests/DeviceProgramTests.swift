import CLinux
import Glibc
import Linux
import OCISpec
import TestKit
import Testing

@testable import Cgroups

@Suite("The device program of version 2")
struct DeviceProgramTests {
    /// What the rules mean, said in another way: for each kind of access the last rule that names the device.
    private func allows(_ rules: [DeviceRule], kind: UInt32, major: UInt32, minor: UInt32, access: UInt32) -> Bool {
        for bit in [UInt32(1), 2, 4] where access & bit != 0 {
            let last = (rules + DeviceRule.defaults).last { rule in
                let kinds: [DeviceRule.Kind: Bool] = [.all: true, .block: kind == 1, .character: kind == 2]
                return kinds[rule.kind] == true && rule.major.map { $0 == major } ?? true
                    && rule.minor.map { $0 == minor } ?? true && rule.access.rawValue & bit != 0
            }
            if last?.allow == false { return false }
        }
        return true
    }

    /// The kernel's machine, as far as our instructions go.
    private func run(_ program: DeviceProgram, kind: UInt32, major: UInt32, minor: UInt32, access: UInt32) throws
        -> UInt64
    {
        var registers = [UInt64](repeating: 0, count: 11)
        let context = [access << 16 | kind, major, minor]
        var here = 0
        while here >= 0, here < program.instructions.count {
            let word = program.instructions[here]
            let (target, source) = (Int(word >> 8 & 0xF), Int(word >> 12 & 0xF))
            let offset = Int(Int16(truncatingIfNeeded: word >> 16))
            let value = UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: word >> 32)))
            here += 1
            switch word & 0xFF {
            case 0x61: registers[target] = UInt64(context[offset / 4])
            case 0xBF: registers[target] = registers[source]
            case 0xB7: registers[target] = value
            case 0x77: registers[target] >>= value
            case 0x57: registers[target] &= value
            case 0x05: here += offset
            case 0x55: if registers[target] != value { here += offset }
            case 0x45: if registers[target] & value != 0 { here += offset }
            case 0x95: return registers[0]
            default:
                Issue.record("unknown instruction \(word & 0xFF)")
                return 0
            }
        }
        Issue.record("the program ran out")
        return 0
    }

    @Test("says what the rules mean, for every device, access and order of rules")
    func meaning() throws {
        let rules = [
            DeviceRule(allow: false, kind: .all),
            DeviceRule(allow: true, kind: .character, major: 1, minor: 11, access: [.read]),
            DeviceRule(allow: true, kind: .character, major: 1, minor: 11, access: [.write]),
            DeviceRule(allow: false, kind: .character, major: 1, access: [.write, .mknod]),
            DeviceRule(allow: true, kind: .block, major: 8),
            DeviceRule(allow: false, kind: .block, major: 8, minor: 1, access: [.read]),
            DeviceRule(allow: false, kind: .character, minor: 11),
            DeviceRule(allow: true, kind: .all, access: [.mknod]),
            DeviceRule(allow: true, kind: .all),
        ]
        var generator = SystemRandomNumberGenerator()
        for round in 0..<200 {
            let chosen =
                round < rules.count
                ? Array(rules[...round]) : Array(rules.shuffled(using: &generator).prefix(round % 10))
            let program = DeviceProgram(rules: chosen)
            for kind: UInt32 in [1, 2] {
                for (major, minor): (UInt32, UInt32) in [(1, 3), (1, 11), (8, 0), (8, 1), (136, 7), (5, 2), (9, 11)] {
                    for access: UInt32 in 1...7 {
                        let answer = try run(program, kind: kind, major: major, minor: minor, access: access)
                        let expected = allows(chosen, kind: kind, major: major, minor: minor, access: access)
                        if (answer == 1) != expected {
                            Issue.record("\(chosen): \(kind) \(major):\(minor) access \(access) gave \(answer)")
                        }
                    }
                }
            }
        }
    }

    @Test("rules that make no sense are refused by number")
    func badRules() {
        let cases = [
            LinuxDeviceCgroup(allow: true, type: "x"), LinuxDeviceCgroup(allow: true, access: "rx"),
            LinuxDeviceCgroup(allow: true, major: -2), LinuxDeviceCgroup(allow: true, minor: 1 << 32),
        ]
        for rule in cases {
            let error = #expect(throws: CgroupError.self) {
                try DeviceRule.rules([LinuxDeviceCgroup(allow: false), rule])
            }
            #expect(error?.step == "plan linux.resources.devices[1]")
        }
    }

    @Test(
        "the kernel takes it and keeps to it", .needs(.root),
        .enabled(if: OnRealCgroups.unified != nil, "needs cgroup v2"))
    func onTheKernel() async throws {
        let top = try #require(OnRealCgroups.unified)
        try await Scratch.use { scratch in
            let directory = top + "/" + OnRealCgroups.name("devices").dropFirst()
            try Directory.make(directory)
            scratch.atEnd { rmdir(directory) }
            let node = scratch.file("kmsg")
            try check(sys_mknodat(AT_FDCWD, node, UInt32(S_IFCHR) | 0o600, 1, 11), "mknod", node)
            func outcome() async throws -> String {
                let script = "echo $$ > \(directory)/cgroup.procs; : < /dev/null && echo null; : < \(node) && echo kmsg"
                return try await Command(["/bin/sh", "-c", script]).run().output
            }
            #expect(try await outcome() == "null\nkmsg\n")
            let deny = DeviceRule(allow: false, kind: .all)
            try DeviceProgram(rules: [deny]).attach(toDirectory: directory)
            #expect(try await outcome() == "null\n")
            // Another program takes its place instead of being added.
            let kmsg = DeviceRule(allow: true, kind: .character, major: 1, minor: 11)
            try DeviceProgram(rules: [deny, kmsg]).attach(toDirectory: directory)
            #expect(try await outcome() == "null\nkmsg\n")
        }
    }
}
