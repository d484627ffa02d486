import Cgroups
import Glibc
import Linux
import OCISpec

/// One property of a transient unit (org.freedesktop.systemd1(5)).
struct SystemdProperty: Hashable, Sendable {
    let name: String
    let value: DBusValue

    init(_ name: String, _ value: DBusValue) {
        self.name = name
        self.value = value
    }

    private static let infinity = UInt64.max

    /// The limits that systemd must know of, since it writes its own view of them at every reload.
    static func resources(_ resources: LinuxResources, host: CgroupHost) throws(RuntimeError) -> [SystemdProperty] {
        let unified = host.mode == .v2
        var found: [SystemdProperty] = []
        if let memory = resources.memory { found += Self.memory(memory, unified) }
        if let cpu = resources.cpu { found += try Self.cpu(cpu, unified) }
        if let limit = resources.pids?.limit {
            found.append(SystemdProperty("TasksMax", .uint64(limit < 0 ? infinity : UInt64(limit))))
        }
        if let weight = resources.blockIO?.weight, weight != 0 {
            found.append(
                unified
                    ? SystemdProperty("IOWeight", .uint64(1 + (UInt64(max(weight, 10)) - 10) * 9999 / 990))
                    : SystemdProperty("BlockIOWeight", .uint64(UInt64(weight))))
        }
        if !resources.devices.isEmpty { found += try devices(resources.devices) }
        return found
    }

    private static func memory(_ memory: LinuxMemory, _ unified: Bool) -> [SystemdProperty] {
        var found: [SystemdProperty] = []
        func amount(_ bytes: Int64) -> DBusValue { .uint64(bytes < 0 ? infinity : UInt64(bytes)) }
        if let limit = memory.limit, limit != 0 {
            found.append(SystemdProperty(unified ? "MemoryMax" : "MemoryLimit", amount(limit)))
        }
        guard unified else { return found }
        if let reservation = memory.reservation, reservation != 0 {
            found.append(SystemdProperty("MemoryLow", amount(reservation)))
        }
        if let swap = memory.swap, swap != 0, let limit = memory.limit, swap < 0 || swap >= limit {
            found.append(SystemdProperty("MemorySwapMax", amount(swap < 0 ? -1 : swap - limit)))
        }
        return found
    }

    private static func cpu(_ cpu: LinuxCPU, _ unified: Bool) throws(RuntimeError) -> [SystemdProperty] {
        var found: [SystemdProperty] = []
        if let shares = cpu.shares, shares != 0 {
            found.append(
                unified
                    ? SystemdProperty("CPUWeight", .uint64(CgroupConversion.weight(shares: shares)))
                    : SystemdProperty("CPUShares", .uint64(shares)))
        }
        if let period = cpu.period, period != 0 { found.append(SystemdProperty("CPUQuotaPeriodUSec", .uint64(period))) }
        if let quota = cpu.quota, quota != 0 {
            var perSecond = infinity
            if quota > 0 {
                let period = cpu.period.flatMap { $0 == 0 ? nil : $0 } ?? 100_000
                perSecond = UInt64(quota) * 1_000_000 / period
                // systemd counts in hundredths of a processor: a remainder is rounded up.
                perSecond = (perSecond + 9999) / 10_000 * 10_000
            }
            found.append(SystemdProperty("CPUQuotaPerSecUSec", .uint64(perSecond)))
        }
        guard unified else { return found }
        if let cpus = cpu.cpus, !cpus.isEmpty { found.append(SystemdProperty("AllowedCPUs", try mask(cpus))) }
        if let mems = cpu.mems, !mems.isEmpty { found.append(SystemdProperty("AllowedMemoryNodes", try mask(mems))) }
        return found
    }

    /// "0-3,8" as bits, lowest first.
    static func mask(_ list: String) throws(RuntimeError) -> DBusValue {
        guard let numbers = ProcessorSet(list)?.numbers else {
            throw RuntimeError("linux.resources.cpu: \"\(list)\" is not a list like 0-3,7")
        }
        var bytes = [UInt8](repeating: 0, count: (numbers.max() ?? 0) / 8 + 1)
        for number in numbers { bytes[number / 8] |= 1 << UInt8(number % 8) }
        return .bytes(bytes)
    }

    /// Annotations `org.systemd.property.NAME` with values as GVariant text, as runc takes them.
    static func annotations(_ annotations: [String: String]) throws(RuntimeError) -> [SystemdProperty] {
        let prefix = "org.systemd.property."
        var found: [SystemdProperty] = []
        for (key, text) in annotations.sorted(by: { $0.key < $1.key }) where key.hasPrefix(prefix) {
            var name = String(key.dropFirst(prefix.utf8.count))
            guard name.utf8.count > 2, name.allSatisfy({ $0.isASCII && $0.isLetter }) else {
                throw RuntimeError("annotation \(key): \"\(name)\" is not a property's name")
            }
            guard var value = SystemdProperty.parse(text) else {
                throw RuntimeError(
                    "annotation \(key): \"\(text)\" is not a value (a string in quotes, a number, a list…)")
            }
            // What people write in seconds, systemd's interface takes in microseconds.
            if name.hasSuffix("Sec") {
                guard let microseconds = value.microseconds else {
                    throw RuntimeError("annotation \(key): \"\(text)\" is not a number of seconds")
                }
                name = String(name.dropLast(3)) + "USec"
                value = .uint64(microseconds)
            }
            found.append(SystemdProperty(name, value))
        }
        return found
    }

    /// GVariant's text form, as far as properties need it.
    ///
    /// - Parameter depth: how many brackets may open; no property of systemd's has more than arrays of arrays
    static func parse(_ text: String, depth: Int = 4) -> DBusValue? {
        let word = text.drop { $0 == " " }
        if word == "true" { return .bool(true) }
        if word == "false" { return .bool(false) }
        if let quote = word.first, quote == "'" || quote == "\"" {
            guard word.count > 1, word.last == quote else { return nil }
            let inner = word.dropFirst().dropLast()
            return inner.contains(quote) ? nil : .string(String(inner))
        }
        if word.hasPrefix("[") {
            guard word.hasSuffix("]"), depth > 0 else { return nil }
            var values: [DBusValue] = []
            for part in word.dropFirst().dropLast().split(separator: ",") {
                guard let value = parse(String(part.drop { $0 == " " }), depth: depth - 1) else { return nil }
                values.append(value)
            }
            guard let first = values.first, values.allSatisfy({ $0.signature == first.signature }) else { return nil }
            return .array(first.signature, values)
        }
        let parts = word.split(separator: " ")
        if parts.count == 2 {
            switch parts[0] {
            case "byte": return UInt8(parts[1]).map { .byte($0) }
            case "int32": return Int32(parts[1]).map { .int32($0) }
            case "uint32": return UInt32(parts[1]).map { .uint32($0) }
            case "int64": return Int64(parts[1]).map { .int64($0) }
            case "uint64": return UInt64(parts[1]).map { .uint64($0) }
            case "double": return Double(parts[1]).map { .double($0) }
            default: return nil
            }
        }
        if let number = Int32(word) { return .int32(number) }
        return Double(word).map { .double($0) }
    }
}

extension DBusValue {
    /// A number of seconds in microseconds.
    fileprivate var microseconds: UInt64? {
        switch self {
        case .int32(let number) where number >= 0: UInt64(number) * 1_000_000
        case .uint32(let number): UInt64(number) * 1_000_000
        case .int64(let number) where number >= 0 && number < 1 << 40: UInt64(number) * 1_000_000
        case .uint64(let number) where number < 1 << 40: number * 1_000_000
        case .double(let number) where number >= 0 && number < 1e12: UInt64(number * 1e6)
        default: nil
        }
    }
}
