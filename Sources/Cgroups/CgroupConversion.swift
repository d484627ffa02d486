/// Version 1's scales as version 2's, for who tells others of limits.
public enum CgroupConversion {
    /// v1 shares (2 to 262144) as v2 weight (1 to 10000).
    public static func weight(shares: UInt64) -> UInt64 { CPUController.weight(shares: shares) }
}
