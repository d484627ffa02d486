extension LinuxResources {
    /// The violations of resources on their own, as `update --resources` gets them.
    public func validate() -> [SpecViolation] {
        var violations = Violations()
        validate(&violations)
        return violations.found
    }

    func validate(_ violations: inout Violations) {
        validateDevices(&violations)
        if let swappiness = memory?.swappiness {
            violations.require(
                swappiness <= 100, "linux.resources.memory.swappiness", "\(swappiness) is not from 0 to 100",
                "config-linux.md, Memory")
        }
        if let cpu {
            violations.numberList(cpu.cpus, "linux.resources.cpu.cpus", "config-linux.md, CPU")
            violations.numberList(cpu.mems, "linux.resources.cpu.mems", "config-linux.md, CPU")
        }
        if let pids {
            violations.require(
                pids.limit != nil, "linux.resources.pids.limit", "it is missing", "config-linux.md, PIDs")
        }
        for (index, limit) in hugepageLimits.enumerated() {
            violations.require(
                LinuxHugepageLimit.isPageSize(limit.pageSize), "linux.resources.hugepageLimits[\(index)].pageSize",
                "'\(limit.pageSize)' is no page size like 2MB, 1GB, 64KB", "config-linux.md, Huge page limits")
        }
        validateBlockIO(&violations)
        for (file, value) in unified.sorted(by: { $0.key < $1.key }) {
            let clause = "config-linux.md, Unified"
            violations.require(
                !file.contains("/") && file.contains("."), "linux.resources.unified.\(file)",
                "the name must be a control file's, like memory.high", clause)
            violations.text(file + value, "linux.resources.unified.\(file)", clause)
        }
    }

    private func validateDevices(_ violations: inout Violations) {
        let clause = "config-linux.md, Allowed Device list"
        for (index, device) in devices.enumerated() {
            let path = "linux.resources.devices[\(index)]"
            if let type = device.type, !type.isEmpty {
                violations.oneOf(type, ["a", "b", "c"], path + ".type", clause)
            }
            let access = device.access ?? ""
            violations.require(
                access.allSatisfy { "rwm".contains($0) }, path + ".access", "'\(access)' has letters besides r, w, m",
                clause)
        }
    }

    private func validateBlockIO(_ violations: inout Violations) {
        guard let blockIO else { return }
        let clause = "config-linux.md, Block IO"
        func check(_ weight: UInt16?, _ path: String, _ violations: inout Violations) {
            guard let weight, weight != 0 else { return }
            violations.require((10...1000).contains(weight), path, "\(weight) is not from 10 to 1000", clause)
        }
        check(blockIO.weight, "linux.resources.blockIO.weight", &violations)
        check(blockIO.leafWeight, "linux.resources.blockIO.leafWeight", &violations)
        for (index, device) in blockIO.weightDevice.enumerated() {
            let path = "linux.resources.blockIO.weightDevice[\(index)]"
            violations.require(
                device.weight != nil || device.leafWeight != nil, path, "it gives neither weight nor leafWeight", clause
            )
            check(device.weight, path + ".weight", &violations)
            check(device.leafWeight, path + ".leafWeight", &violations)
        }
    }
}

extension LinuxHugepageLimit {
    /// `^[1-9][0-9]*[KMG]B$`
    static func isPageSize(_ text: String) -> Bool {
        guard let last = text.last, last == "B" else { return false }
        let rest = text.dropLast()
        guard let unit = rest.last, "KMG".contains(unit) else { return false }
        let digits = rest.dropLast().utf8
        return !digits.isEmpty && digits.first != UInt8(ascii: "0")
            && digits.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    }
}
