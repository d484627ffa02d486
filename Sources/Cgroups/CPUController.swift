import Glibc
import OCISpec

/// `cpu`: shares, bandwidth, real time.
enum CPUController {
    /// The first field that needs the controller.
    static func fields(_ cpu: LinuxCPU) -> String? {
        if cpu.shares ?? 0 != 0 { return "linux.resources.cpu.shares" }
        if cpu.quota ?? 0 != 0 { return "linux.resources.cpu.quota" }
        if cpu.period ?? 0 != 0 { return "linux.resources.cpu.period" }
        if cpu.burst != nil { return "linux.resources.cpu.burst" }
        if cpu.idle != nil { return "linux.resources.cpu.idle" }
        if cpu.realtimePeriod ?? 0 != 0 || cpu.realtimeRuntime ?? 0 != 0 {
            return "linux.resources.cpu.realtimeRuntime"
        }
        return nil
    }

    static func plan(
        _ cpu: LinuxCPU, version: CgroupVersion, current: ResourcePlan.Current = ResourcePlan.Current()
    ) -> [CgroupWrite] {
        version == .v1 ? planV1(cpu) : planV2(cpu, current)
    }

    private static func write(
        _ file: String, _ value: String, _ field: String, refusal: CgroupWrite.Refusal = .fails
    ) -> CgroupWrite {
        CgroupWrite("cpu", file, value, for: "linux.resources.cpu." + field, refusal: refusal)
    }

    private static func planV1(_ cpu: LinuxCPU) -> [CgroupWrite] {
        var writes: [CgroupWrite] = []
        if let idle = cpu.idle { writes.append(write("cpu.idle", String(idle), "idle")) }
        // An idle group has no shares to set: the kernel refuses.
        if let shares = cpu.shares, shares != 0, cpu.idle ?? 0 != 1 {
            writes.append(write("cpu.shares", String(shares), "shares"))
        }
        // A burst may not exceed the quota, whichever of them is the new one.
        if let burst = cpu.burst {
            writes.append(write("cpu.cfs_burst_us", String(burst), "burst", refusal: .triedAgain))
        }
        if let period = cpu.period, period != 0 {
            // A shorter period with the old quota may ask for more than the parent has.
            writes.append(write("cpu.cfs_period_us", String(period), "period", refusal: .triedAgain))
        }
        if let quota = cpu.quota, quota != 0 { writes.append(write("cpu.cfs_quota_us", String(quota), "quota")) }
        if let period = cpu.realtimePeriod, period != 0 {
            writes.append(write("cpu.rt_period_us", String(period), "realtimePeriod", refusal: .triedAgain))
        }
        if let runtime = cpu.realtimeRuntime, runtime != 0 {
            writes.append(write("cpu.rt_runtime_us", String(runtime), "realtimeRuntime"))
        }
        return writes
    }

    private static func planV2(_ cpu: LinuxCPU, _ current: ResourcePlan.Current) -> [CgroupWrite] {
        var writes: [CgroupWrite] = []
        if let idle = cpu.idle { writes.append(write("cpu.idle", String(idle), "idle")) }
        if let shares = cpu.shares, shares != 0, cpu.idle ?? 0 != 1 {
            writes.append(write("cpu.weight", String(weight(shares: shares)), "shares"))
        }
        let burst = cpu.burst.map { write("cpu.max.burst", String($0), "burst", refusal: .triedAgain) }
        if let burst { writes.append(burst) }
        let named = cpu.quota ?? 0
        let period = cpu.period ?? 0
        if named != 0 || period != 0 {
            // One number alone leaves the period as it is; the quota has to be written with it.
            let quota = named != 0 ? named : current.quota ?? -1
            var value = quota > 0 ? String(quota) : "max"
            if period != 0 { value += " " + String(period) }
            writes.append(write("cpu.max", value, named != 0 ? "quota" : "period"))
        }
        return writes
    }

    /// v1 shares (2 to 262144) as v2 weight (1 to 10000), through both scales' ends and both defaults: 1024 is 100.
    ///
    /// The curve that runc 1.4, crun 1.23 and systemd-less kubelets share: 10 to the power of
    /// (l² + 125 l) / 612 - 7 / 34, with l the binary logarithm of the shares.
    static func weight(shares: UInt64) -> UInt64 {
        if shares <= 2 { return 1 }
        if shares >= 262_144 { return 10_000 }
        let l = log2(Double(shares))
        let exponent = (l * l + 125 * l) / 612 - 7.0 / 34
        return UInt64(pow(10, exponent).rounded(.up))
    }
}
