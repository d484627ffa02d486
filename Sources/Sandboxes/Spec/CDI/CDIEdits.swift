import CRI
import JSON
import OCISpec

/// What a CDI specification changes in a container (`containerEdits`; Container Device Interface, SPEC.md).
struct CDIEdits: Sendable, Equatable {
    struct DeviceNode: Sendable, Equatable {
        /// Inside.
        var path: String
        /// On the host; the same path unless it says another.
        var hostPath: String
        var type: String?
        var major: Int64?
        var minor: Int64?
        var fileMode: UInt32?
        var permissions: String
        var uid: UInt32?
        var gid: UInt32?
    }

    var env: [String] = []
    var deviceNodes: [DeviceNode] = []
    var mounts: [Mount] = []
    /// By the name of the hook point.
    var hooks: [(name: String, hook: Hook)] = []
    var additionalGids: [UInt32] = []
    var intelRdt: LinuxIntelRdt?
    var netDevices: [String: LinuxNetDevice] = [:]

    static func == (left: CDIEdits, right: CDIEdits) -> Bool {
        left.env == right.env && left.deviceNodes == right.deviceNodes && left.mounts == right.mounts
            && left.hooks.map(\.name) == right.hooks.map(\.name) && left.hooks.map(\.hook) == right.hooks.map(\.hook)
            && left.additionalGids == right.additionalGids && left.intelRdt == right.intelRdt
            && left.netDevices == right.netDevices
    }

    init() {}

    /// Reads a `containerEdits` object.
    ///
    /// - Throws: `.invalidArgument` with the field that is wrong
    init(_ value: JSONValue?) throws(CRIError) {
        guard let value, value != .null else { return }
        env = Self.texts(value["env"])
        for entry in env where entry.first == "=" || !entry.contains("=") || entry.utf8.contains(0) {
            throw Self.wrong("env", "\"\(entry.prefix(80))\" is not NAME=value")
        }
        for node in value["deviceNodes"]?.arrayValue ?? [] { deviceNodes.append(try Self.deviceNode(node)) }
        for mount in value["mounts"]?.arrayValue ?? [] { mounts.append(try Self.mount(mount)) }
        for hook in value["hooks"]?.arrayValue ?? [] { hooks.append(try Self.hook(hook)) }
        for gid in value["additionalGids"]?.arrayValue ?? [] {
            guard let number = gid.intValue.flatMap({ UInt32(exactly: $0) }) else {
                throw Self.wrong("additionalGids", "not a group id of 32 bits")
            }
            additionalGids.append(number)
        }
        if let rdt = value["intelRdt"], rdt != .null {
            intelRdt = LinuxIntelRdt(
                closID: rdt["closID"]?.stringValue, schemata: Self.texts(rdt["schemata"]),
                l3CacheSchema: rdt["l3CacheSchema"]?.stringValue, memBwSchema: rdt["memBwSchema"]?.stringValue,
                enableMonitoring: [rdt["enableMonitoring"], rdt["enableCMT"], rdt["enableMBM"]].contains {
                    $0?.boolValue == true
                })
        }
        for device in value["netDevices"]?.arrayValue ?? [] {
            guard let host = device["hostInterfaceName"]?.stringValue, let name = device["name"]?.stringValue else {
                throw Self.wrong("netDevices", "hostInterfaceName or name is missing")
            }
            netDevices[host] = LinuxNetDevice(name: name)
        }
    }

    private static func texts(_ value: JSONValue?) -> [String] {
        value?.arrayValue?.compactMap(\.stringValue) ?? []
    }

    private static func wrong(_ field: String, _ reason: String) -> CRIError {
        CRIError(.invalidArgument, "containerEdits.\(field): \(reason)")
    }

    private static func deviceNode(_ value: JSONValue) throws(CRIError) -> DeviceNode {
        guard let path = value["path"]?.stringValue, path.hasPrefix("/"), !path.utf8.contains(0) else {
            throw wrong("deviceNodes", "path is missing or not absolute")
        }
        let permissions = value["permissions"]?.stringValue ?? ""
        guard permissions.utf8.allSatisfy({ "rwm".utf8.contains($0) }) else {
            throw wrong("deviceNodes", "\(path): permissions \"\(permissions)\" are not some of rwm")
        }
        let type = value["type"]?.stringValue
        guard type.map({ ["b", "c", "u", "p"].contains($0) }) ?? true else {
            throw wrong("deviceNodes", "\(path): type \"\(type ?? "")\" is not b, c, u or p")
        }
        let host = value["hostPath"]?.stringValue ?? ""
        return DeviceNode(
            path: path, hostPath: host.isEmpty ? path : host, type: type, major: value["major"]?.intValue,
            minor: value["minor"]?.intValue, fileMode: value["fileMode"]?.intValue.flatMap { UInt32(exactly: $0) },
            permissions: permissions.isEmpty ? "rwm" : permissions,
            uid: value["uid"]?.intValue.flatMap { UInt32(exactly: $0) },
            gid: value["gid"]?.intValue.flatMap { UInt32(exactly: $0) })
    }

    private static func mount(_ value: JSONValue) throws(CRIError) -> Mount {
        guard let host = value["hostPath"]?.stringValue, let inside = value["containerPath"]?.stringValue,
            !host.isEmpty, inside.hasPrefix("/"), !(host + inside).utf8.contains(0)
        else { throw wrong("mounts", "hostPath or containerPath is missing") }
        var options = texts(value["options"])
        let type = value["type"]?.stringValue
        // A mount without a type is a bind mount, and says so to every runtime.
        if type == nil || type == "bind", !options.contains("bind"), !options.contains("rbind") {
            options.insert("rbind", at: 0)
        }
        return Mount(destination: inside, type: type ?? "bind", source: host, options: options)
    }

    private static let hookNames: Set<String> = [
        "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
    ]

    private static func hook(_ value: JSONValue) throws(CRIError) -> (name: String, hook: Hook) {
        let name = value["hookName"]?.stringValue ?? ""
        guard hookNames.contains(name), let path = value["path"]?.stringValue, path.hasPrefix("/") else {
            throw wrong("hooks", "hookName \"\(name)\" is none, or path is missing or not absolute")
        }
        let timeout = value["timeout"]?.intValue.flatMap { $0 > 0 ? Int(exactly: $0) : nil }
        return (
            name, Hook(path: path, args: texts(value["args"]), env: texts(value["env"]), timeout: timeout)
        )
    }
}
