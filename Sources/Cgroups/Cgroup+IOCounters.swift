extension Cgroup {
    /// v1's `blkio` files; BFQ's where they count, else CFQ's and the throttle's.
    func ioCountersV1() -> [(name: String, entries: [CgroupCounters.IOEntry])] {
        let files: [(String, [String])] = [
            (
                "ioServiceBytesRecursive",
                [
                    "blkio.bfq.io_service_bytes_recursive", "blkio.io_service_bytes_recursive",
                    "blkio.throttle.io_service_bytes_recursive", "blkio.throttle.io_service_bytes",
                ]
            ),
            (
                "ioServicedRecursive",
                [
                    "blkio.bfq.io_serviced_recursive", "blkio.io_serviced_recursive",
                    "blkio.throttle.io_serviced_recursive", "blkio.throttle.io_serviced",
                ]
            ),
            ("ioQueueRecursive", ["blkio.bfq.io_queued_recursive", "blkio.io_queued_recursive"]),
            ("ioServiceTimeRecursive", ["blkio.bfq.io_service_time_recursive", "blkio.io_service_time_recursive"]),
            ("ioWaitTimeRecursive", ["blkio.bfq.io_wait_time_recursive", "blkio.io_wait_time_recursive"]),
            ("ioMergedRecursive", ["blkio.bfq.io_merged_recursive", "blkio.io_merged_recursive"]),
            ("ioTimeRecursive", ["blkio.bfq.time_recursive", "blkio.time_recursive"]),
            ("sectorsRecursive", ["blkio.bfq.sectors_recursive", "blkio.sectors_recursive"]),
        ]
        return files.map { name, candidates in
            for file in candidates {
                let entries = Cgroup.ioEntries(text("blkio", file) ?? "")
                if !entries.isEmpty { return (name, entries) }
            }
            return (name, [])
        }
    }

    /// Lines like `8:0 Read 4096` or `8:0 4096`; the sum at the end belongs to no device.
    static func ioEntries(_ text: String) -> [CgroupCounters.IOEntry] {
        var found: [CgroupCounters.IOEntry] = []
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            let device = fields.first?.split(separator: ":").compactMap { UInt64($0) } ?? []
            guard device.count == 2, fields.count == 2 || fields.count == 3,
                let value = fields.last.flatMap({ UInt64($0) })
            else { continue }
            found.append(
                CgroupCounters.IOEntry(
                    major: device[0], minor: device[1], operation: fields.count == 3 ? String(fields[1]) : "",
                    value: value))
        }
        return found
    }

    /// v2's `io.stat`, in v1's terms.
    func ioCountersV2() -> [(name: String, entries: [CgroupCounters.IOEntry])] {
        Cgroup.ioStat(text(nil, "io.stat") ?? "")
    }

    /// Lines like `8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0`.
    static func ioStat(_ text: String) -> [(name: String, entries: [CgroupCounters.IOEntry])] {
        var bytes: [CgroupCounters.IOEntry] = []
        var operations: [CgroupCounters.IOEntry] = []
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            let device = fields.first?.split(separator: ":").compactMap { UInt64($0) } ?? []
            guard device.count == 2 else { continue }
            for field in fields.dropFirst() {
                let parts = field.split(separator: "=")
                guard parts.count == 2, let value = UInt64(parts[1]) else { continue }
                func entry(_ operation: String) -> CgroupCounters.IOEntry {
                    CgroupCounters.IOEntry(major: device[0], minor: device[1], operation: operation, value: value)
                }
                switch parts[0] {
                case "rbytes": bytes.append(entry("Read"))
                case "wbytes": bytes.append(entry("Write"))
                case "rios": operations.append(entry("Read"))
                case "wios": operations.append(entry("Write"))
                default: break
                }
            }
        }
        return [("ioServiceBytesRecursive", bytes), ("ioServicedRecursive", operations)]
    }
}
