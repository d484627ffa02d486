import CRI
import Cgroups
import Images
import SwiftProtobuf

/// Counters of the kernel in the CRI's messages: pure.
enum StatsMessages {
    static func cpu(
        _ cpu: CgroupStats.CPU, _ pressure: CgroupCounters.Pressure?, rate: UInt64?, now: Int64
    ) -> CRICpuUsage {
        CRICpuUsage.with {
            $0.timestamp = now
            $0.usageCoreNanoSeconds.value = cpu.usageNanoseconds
            if let rate { $0.usageNanoCores.value = rate }
            if let pressure { $0.psi = psi(pressure) }
        }
    }

    static func memory(
        _ memory: CgroupStats.Memory, _ pressure: CgroupCounters.Pressure?, now: Int64
    ) -> CRIMemoryUsage {
        CRIMemoryUsage.with {
            $0.timestamp = now
            $0.usageBytes.value = memory.usageBytes
            $0.workingSetBytes.value = memory.workingSetBytes
            if let limit = memory.limitBytes {
                $0.availableBytes.value = limit > memory.workingSetBytes ? limit - memory.workingSetBytes : 0
            }
            if let resident = memory.residentBytes { $0.rssBytes.value = resident }
            if let faults = memory.pageFaults { $0.pageFaults.value = faults }
            if let faults = memory.majorPageFaults { $0.majorPageFaults.value = faults }
            if let pressure { $0.psi = psi(pressure) }
        }
    }

    static func swap(_ memory: CgroupStats.Memory, now: Int64) -> CRISwapUsage {
        CRISwapUsage.with {
            $0.timestamp = now
            let used = memory.swapBytes ?? 0
            $0.swapUsageBytes.value = used
            if let limit = memory.swapLimitBytes { $0.swapAvailableBytes.value = limit - min(limit, used) }
        }
    }

    /// Nil where the kernel counts no pressure: there is nothing else to tell of input and output here.
    static func io(_ pressure: CgroupCounters.Pressure?, now: Int64) -> CRIIoUsage? {
        guard let pressure else { return nil }
        return CRIIoUsage.with {
            $0.timestamp = now
            $0.psi = psi(pressure)
        }
    }

    /// The total is in microseconds, as the kernel writes it and as other runtimes and cAdvisor pass it on.
    static func psi(_ pressure: CgroupCounters.Pressure) -> CRIPsiStats {
        func line(_ line: CgroupCounters.Pressure.Line) -> CRIPsiData {
            CRIPsiData.with {
                $0.total = line.total
                $0.avg10 = line.avg10
                $0.avg60 = line.avg60
                $0.avg300 = line.avg300
            }
        }
        return CRIPsiStats.with {
            if let some = pressure.some { $0.some = line(some) }
            if let full = pressure.full { $0.full = line(full) }
        }
    }

    static func writableLayer(_ layer: WritableLayers.Known, root: String) -> CRIFilesystemUsage {
        CRIFilesystemUsage.with {
            $0.timestamp = layer.measuredAtNanoseconds
            $0.fsID.mountpoint = root
            $0.usedBytes.value = layer.usage.bytes
            $0.inodesUsed.value = layer.usage.inodes
        }
    }

    /// The pod's own interfaces without its loopback; `eth0`, or the first, stands out.
    static func network(_ interfaces: [InterfaceCounters], now: Int64) -> CRINetworkUsage {
        CRINetworkUsage.with { usage in
            usage.timestamp = now
            let all = interfaces.filter { $0.name != "lo" }.map { counters in
                CRINetworkInterfaceUsage.with {
                    $0.name = counters.name
                    $0.rxBytes.value = counters.received.bytes
                    $0.rxErrors.value = counters.received.errors
                    $0.txBytes.value = counters.sent.bytes
                    $0.txErrors.value = counters.sent.errors
                }
            }
            if let first = all.first(where: { $0.name == "eth0" }) ?? all.first { usage.defaultInterface = first }
            usage.interfaces = all.filter { $0.name != usage.defaultInterface.name }
        }
    }
}
