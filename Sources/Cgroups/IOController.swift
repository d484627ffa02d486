import OCISpec

/// `blkio` of v1 and `io` of v2: block devices.
enum IOController {
    static func fields(_ io: LinuxBlockIO) -> String? {
        if io.weight ?? 0 != 0 || io.leafWeight ?? 0 != 0 || !io.weightDevice.isEmpty {
            return "linux.resources.blockIO.weight"
        }
        let throttled = [
            io.throttleReadBpsDevice, io.throttleWriteBpsDevice, io.throttleReadIOPSDevice, io.throttleWriteIOPSDevice,
        ]
        return throttled.allSatisfy(\.isEmpty) ? nil : "linux.resources.blockIO.throttle"
    }

    static func planV1(_ io: LinuxBlockIO, hasBFQ: Bool) -> [CgroupWrite] {
        var writes: [CgroupWrite] = []
        func write(_ file: String, _ value: String, _ field: String) {
            writes.append(CgroupWrite("blkio", file, value, for: "linux.resources.blockIO." + field))
        }
        let weight = hasBFQ ? "blkio.bfq.weight" : "blkio.weight"
        if let value = io.weight, value != 0 { write(weight, String(value), "weight") }
        if let value = io.leafWeight, value != 0 { write("blkio.leaf_weight", String(value), "leafWeight") }
        for device in io.weightDevice {
            let name = "\(device.major):\(device.minor) "
            if let value = device.weight { write(weight + "_device", name + String(value), "weightDevice") }
            if let value = device.leafWeight { write("blkio.leaf_weight_device", name + String(value), "weightDevice") }
        }
        let throttles = [
            ("blkio.throttle.read_bps_device", "throttleReadBpsDevice", io.throttleReadBpsDevice),
            ("blkio.throttle.write_bps_device", "throttleWriteBpsDevice", io.throttleWriteBpsDevice),
            ("blkio.throttle.read_iops_device", "throttleReadIOPSDevice", io.throttleReadIOPSDevice),
            ("blkio.throttle.write_iops_device", "throttleWriteIOPSDevice", io.throttleWriteIOPSDevice),
        ]
        for (file, field, devices) in throttles {
            for device in devices { write(file, "\(device.major):\(device.minor) \(device.rate)", field) }
        }
        return writes
    }

    static func planV2(_ io: LinuxBlockIO, hasBFQ: Bool) -> [CgroupWrite] {
        var writes: [CgroupWrite] = []
        func write(_ file: String, _ value: String, _ field: String) {
            writes.append(CgroupWrite("io", file, value, for: "linux.resources.blockIO." + field))
        }
        // BFQ takes the specification's scale, io.weight its own of 1 to 10000.
        func scaled(_ value: UInt16) -> String { String(hasBFQ ? UInt64(value) : weight(blkio: value)) }
        let file = hasBFQ ? "io.bfq.weight" : "io.weight"
        if let value = io.weight, value != 0 { write(file, "default " + scaled(value), "weight") }
        for device in io.weightDevice {
            if let value = device.weight {
                write(file, "\(device.major):\(device.minor) " + scaled(value), "weightDevice")
            }
        }
        let throttles = [
            ("rbps", "throttleReadBpsDevice", io.throttleReadBpsDevice),
            ("wbps", "throttleWriteBpsDevice", io.throttleWriteBpsDevice),
            ("riops", "throttleReadIOPSDevice", io.throttleReadIOPSDevice),
            ("wiops", "throttleWriteIOPSDevice", io.throttleWriteIOPSDevice),
        ]
        for (key, field, devices) in throttles {
            for device in devices {
                // 0 takes the limit away.
                let rate = device.rate == 0 ? "max" : String(device.rate)
                write("io.max", "\(device.major):\(device.minor) \(key)=\(rate)", field)
            }
        }
        return writes
    }

    /// v1 weight (10 to 1000) as v2 weight (1 to 10000), in a straight line.
    static func weight(blkio weight: UInt16) -> UInt64 {
        let inRange = UInt64(min(max(weight, 10), 1000))
        return 1 + (inRange - 10) * 9999 / 990
    }
}
