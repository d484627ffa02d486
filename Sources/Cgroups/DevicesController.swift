/// `devices` of v1: a list in the kernel.
enum DevicesController {
    /// The rules in order, then what every container may do.
    static func plan(_ rules: [DeviceRule]) -> [CgroupWrite] {
        rules.flatMap { writes($0, refusal: .fails) } + DeviceRule.defaults.flatMap { writes($0, refusal: .passedOver) }
    }

    private static func writes(_ rule: DeviceRule, refusal: CgroupWrite.Refusal) -> [CgroupWrite] {
        lines(rule).map { line in
            CgroupWrite(
                "devices", rule.allow ? "devices.allow" : "devices.deny", line, for: "linux.resources.devices",
                refusal: refusal)
        }
    }

    /// `c 1:3 rwm`. To the kernel an `a` is everything, whatever follows it, so a narrower rule is two lines.
    private static func lines(_ rule: DeviceRule) -> [String] {
        var text = " " + (rule.major.map { String($0) } ?? "*") + ":" + (rule.minor.map { String($0) } ?? "*") + " "
        if rule.access.contains(.read) { text += "r" }
        if rule.access.contains(.write) { text += "w" }
        if rule.access.contains(.mknod) { text += "m" }
        switch rule.kind {
        case .all where rule.access == .all && rule.major == nil && rule.minor == nil: return ["a"]
        case .all: return ["b" + text, "c" + text]
        case .block, .character: return [rule.kind.rawValue + text]
        }
    }
}
