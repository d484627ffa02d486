public import OCISpec

/// An entry of the device allow list in its exact form.
public struct DeviceRule: Sendable, Hashable {
    /// What is done to a device; the kernel's bits (linux/bpf.h, BPF_DEVCG_ACC_…).
    public struct Access: OptionSet, Sendable, Hashable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let mknod = Access(rawValue: 1)
        public static let read = Access(rawValue: 2)
        public static let write = Access(rawValue: 4)
        public static let all: Access = [.mknod, .read, .write]
    }

    public enum Kind: String, Sendable, Hashable {
        case all = "a"
        case block = "b"
        case character = "c"
    }

    public var allow: Bool
    public var kind: Kind
    /// nil is any.
    public var major: UInt32?
    /// nil is any.
    public var minor: UInt32?
    public var access: Access

    public init(allow: Bool, kind: Kind, major: UInt32? = nil, minor: UInt32? = nil, access: Access = .all) {
        self.allow = allow
        self.kind = kind
        self.major = major
        self.minor = minor
        self.access = access
    }

    /// Reads the configuration's rules, in order.
    ///
    /// - Throws: `CgroupError` naming the rule that makes no sense.
    public static func rules(_ devices: [LinuxDeviceCgroup]) throws(CgroupError) -> [DeviceRule] {
        var rules: [DeviceRule] = []
        for (index, device) in devices.enumerated() {
            let field = "plan linux.resources.devices[\(index)]"
            guard let kind = Kind(rawValue: device.type.flatMap { $0.isEmpty ? nil : $0 } ?? "a") else {
                throw CgroupError(field, hint: "type '\(device.type ?? "")' is none of a, b, c")
            }
            var access: Access = []
            for letter in device.access.flatMap({ $0.isEmpty ? nil : $0 }) ?? "rwm" {
                switch letter {
                case "r": access.insert(.read)
                case "w": access.insert(.write)
                case "m": access.insert(.mknod)
                default:
                    throw CgroupError(field, hint: "access '\(device.access ?? "")' must be of the letters r, w, m")
                }
            }
            rules.append(
                DeviceRule(
                    allow: device.allow, kind: kind, major: try number(device.major, field),
                    minor: try number(device.minor, field),
                    access: access))
        }
        return rules
    }

    /// What every container may do (config-linux.md, Default Devices; the pseudo terminals of devpts), and making of any
    /// node, which gives no access.
    public static let defaults: [DeviceRule] = [
        DeviceRule(allow: true, kind: .character, access: .mknod),
        DeviceRule(allow: true, kind: .block, access: .mknod),
        DeviceRule(allow: true, kind: .character, major: 1, minor: 3),
        DeviceRule(allow: true, kind: .character, major: 1, minor: 5),
        DeviceRule(allow: true, kind: .character, major: 1, minor: 7),
        DeviceRule(allow: true, kind: .character, major: 1, minor: 8),
        DeviceRule(allow: true, kind: .character, major: 1, minor: 9),
        DeviceRule(allow: true, kind: .character, major: 5, minor: 0),
        DeviceRule(allow: true, kind: .character, major: 5, minor: 2),
        DeviceRule(allow: true, kind: .character, major: 136),
    ]

    private static func number(_ value: Int64?, _ field: String) throws(CgroupError) -> UInt32? {
        guard let value, value != -1 else { return nil }
        guard let number = UInt32(exactly: value) else {
            throw CgroupError(field, hint: "\(value) is no device number")
        }
        return number
    }
}
