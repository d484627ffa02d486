import OCISpec

/// `hugetlb`: huge pages by size.
enum HugetlbController {
    static func plan(_ limits: [LinuxHugepageLimit], version: CgroupVersion) throws(CgroupError) -> [CgroupWrite] {
        var writes: [CgroupWrite] = []
        for limit in limits {
            guard isPageSize(limit.pageSize) else {
                throw CgroupError(
                    "plan linux.resources.hugepageLimits",
                    hint: "'\(limit.pageSize)' is no page size; write it like 2MB, 1GB, 64KB")
            }
            let file = "hugetlb." + limit.pageSize
            let field = "linux.resources.hugepageLimits.limit"
            let (usage, reserved) = version == .v1 ? (".limit_in_bytes", ".rsvd.limit_in_bytes") : (".max", ".rsvd.max")
            writes.append(CgroupWrite("hugetlb", file + usage, String(limit.limit), for: field))
            // Since Linux 5.7; without it pages that are only reserved aren't counted.
            writes.append(
                CgroupWrite("hugetlb", file + reserved, String(limit.limit), for: field, refusal: .passedOver))
        }
        return writes
    }

    /// `^[1-9][0-9]*[KMG]B$`: it becomes a part of a file's name.
    static func isPageSize(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count >= 3, bytes[bytes.count - 1] == UInt8(ascii: "B") else { return false }
        guard [UInt8(ascii: "K"), UInt8(ascii: "M"), UInt8(ascii: "G")].contains(bytes[bytes.count - 2]) else {
            return false
        }
        let digits = bytes[..<(bytes.count - 2)]
        return digits.first != UInt8(ascii: "0")
            && digits.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    }
}
