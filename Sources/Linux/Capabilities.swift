import CCap
import CLinux
import Glibc

/// A set of capabilities(7), a bit each.
public struct CapabilitySet: OptionSet, Sendable, Hashable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let systemAdmin = CapabilitySet(rawValue: 1 << 21)

    /// The bit of "CAP_CHOWN" (any case); nil when libcap doesn't know the name.
    public init?(name: String) {
        var number: cap_value_t = 0
        guard name.utf8.count < 64, name.hasPrefix("CAP_") || name.hasPrefix("cap_"), cap_from_name(name, &number) == 0,
            number < 64
        else { return nil }
        self.init(rawValue: 1 << UInt64(number))
    }

    /// Capabilities that this kernel knows.
    public static var supported: CapabilitySet {
        let bits = cap_max_bits()
        return CapabilitySet(rawValue: bits >= 64 ? .max : (1 << UInt64(bits)) - 1)
    }

    /// "CAP_CHOWN" and so on, lowest number first.
    public var names: [String] {
        numbers.compactMap { number in
            guard let text = cap_to_name(number) else { return nil }
            defer { cap_free(text) }
            return String(cString: text).uppercased()
        }
    }

    /// The numbers of the bits, lowest first.
    public var numbers: [cap_value_t] {
        (0..<64).filter { rawValue & (1 << UInt64($0)) != 0 }.map { cap_value_t($0) }
    }
}

/// The calling thread's capabilities.
public struct ProcessCapabilities: Sendable, Hashable {
    public var effective: CapabilitySet
    public var permitted: CapabilitySet
    public var inheritable: CapabilitySet

    public init(effective: CapabilitySet, permitted: CapabilitySet, inheritable: CapabilitySet) {
        self.effective = effective
        self.permitted = permitted
        self.inheritable = inheritable
    }

    /// cap_get_proc(3).
    public static func current() throws(SystemError) -> ProcessCapabilities {
        guard let state = cap_get_proc() else { throw SystemError("cap_get_proc", errno: .current) }
        defer { cap_free(UnsafeMutableRawPointer(state)) }
        func read(_ flag: cap_flag_t) -> CapabilitySet {
            var bits: UInt64 = 0
            for number in 0..<cap_max_bits() {
                var value = CAP_CLEAR
                if cap_get_flag(state, number, flag, &value) == 0, value == CAP_SET { bits |= 1 << UInt64(number) }
            }
            return CapabilitySet(rawValue: bits)
        }
        return ProcessCapabilities(
            effective: read(CAP_EFFECTIVE), permitted: read(CAP_PERMITTED), inheritable: read(CAP_INHERITABLE))
    }

    /// cap_set_proc(3).
    public func apply() throws(SystemError) {
        guard let state = cap_init() else { throw SystemError("cap_init", errno: .current) }
        defer { cap_free(UnsafeMutableRawPointer(state)) }
        for (flag, set) in [(CAP_EFFECTIVE, effective), (CAP_PERMITTED, permitted), (CAP_INHERITABLE, inheritable)] {
            let numbers = set.numbers
            if numbers.isEmpty { continue }
            try checkErrno(cap_set_flag(state, flag, Int32(numbers.count), numbers, CAP_SET), "cap_set_flag")
        }
        try checkErrno(cap_set_proc(state), "capset")
    }

    /// Takes everything that isn't in `kept` out of the bounding set. Needs CAP_SETPCAP only when there is something to drop.
    public static func limitBoundingSet(to kept: CapabilitySet) throws(SystemError) {
        for number in 0..<cap_max_bits() where kept.rawValue & (1 << UInt64(number)) == 0 {
            if cap_drop_bound(number) == 0 { continue }
            let reason = Errno.current
            // Not allowed to drop it, but it isn't there anyway.
            if cap_get_bound(number) == 0 { continue }
            throw SystemError("prctl PR_CAPBSET_DROP \(number)", errno: reason)
        }
    }

    /// Makes the ambient set as much of `set` as can be: one that isn't permitted and inheritable is left out, as runc leaves
    /// it out (capabilities(7); `runc spec` itself writes such a set).
    public static func setAmbient(_ set: CapabilitySet) throws(SystemError) {
        try checkErrno(cap_reset_ambient(), "prctl PR_CAP_AMBIENT_CLEAR_ALL")
        for number in set.numbers {
            if cap_set_ambient(number, CAP_SET) < 0, Errno.current != .perm {
                throw SystemError("prctl PR_CAP_AMBIENT_RAISE \(number)", errno: .current)
            }
        }
    }
}
