import Cgroups
import Glibc
import Linux
import OCISpec

extension SystemdProperty {
    /// The device rules as systemd knows them: everything is denied but what a list names. Rules that deny something again
    /// have no such form; then systemd is told of no list, and ours alone stands.
    static func devices(_ devices: [LinuxDeviceCgroup]) throws(RuntimeError) -> [SystemdProperty] {
        let rules = try cgroups { () throws(CgroupError) in try DeviceRule.rules(devices) }
        guard let first = rules.first, !first.allow, first.kind == .all, first.major == nil, first.access == .all,
            rules.dropFirst().allSatisfy(\.allow)
        else { return [] }
        let names = majorNames()
        var list: [DBusValue] = []
        for rule in rules.dropFirst() + DeviceRule.defaults {
            guard let path = path(rule, names) else { return [] }
            var access = ""
            if rule.access.contains(.read) { access += "r" }
            if rule.access.contains(.write) { access += "w" }
            if rule.access.contains(.mknod) { access += "m" }
            list.append(.structure([.string(path), .string(access)]))
        }
        return [
            SystemdProperty("DevicePolicy", .string("strict")), SystemdProperty("DeviceAllow", .array("(ss)", list)),
        ]
    }

    /// "/dev/char/1:3", "char-pts" for all of a major number, "char-*" for all of a kind; nil where systemd has no word.
    private static func path(_ rule: DeviceRule, _ names: [String: String]) -> String? {
        let kind: String
        switch rule.kind {
        case .character: kind = "char"
        case .block: kind = "block"
        case .all: return nil
        }
        guard let major = rule.major else { return rule.minor == nil ? "\(kind)-*" : nil }
        if let minor = rule.minor { return "/dev/\(kind)/\(major):\(minor)" }
        return names["\(kind) \(major)"].map { "\(kind)-\($0)" }
    }

    /// /proc/devices: the names of the major numbers.
    private static func majorNames() -> [String: String] {
        // Without it no wildcard can be named, and our own list stands.
        guard let text = try? File.readText("/proc/devices", limit: 1 << 16) else { return [:] }
        var kind = "char"
        var found: [String: String] = [:]
        for line in text.split(separator: "\n") {
            if line.hasPrefix("Block") { kind = "block" }
            let fields = line.split(separator: " ")
            if fields.count == 2, let major = UInt32(fields[0]), found["\(kind) \(major)"] == nil {
                found["\(kind) \(major)"] = String(fields[1])
            }
        }
        return found
    }
}
