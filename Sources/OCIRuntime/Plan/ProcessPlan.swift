import Glibc
import Linux
import OCISpec

/// A process as it will be at execve, numbers instead of names.
struct ProcessPlan: Sendable {
    /// Empty when there is no program: such a container can be created, but not started.
    var arguments: [String]
    var environment: [String]
    var workingDirectory: String
    var uid: UInt32
    var gid: UInt32
    var groups: [UInt32]
    var umask: UInt32
    var terminal: Bool
    /// Rows and columns.
    var consoleSize: (height: UInt16, width: UInt16)?
    /// A configuration without any leaves none.
    var capabilities: Capabilities
    var limits: [Limit]
    var noNewPrivileges: Bool
    var oomScoreAdjustment: Int?
    var scheduling: SchedulingPlan
    var labels: SecurityLabels

    struct Capabilities: Hashable, Sendable {
        var bounding: CapabilitySet = []
        var effective: CapabilitySet = []
        var inheritable: CapabilitySet = []
        var permitted: CapabilitySet = []
        var ambient: CapabilitySet = []
    }

    struct Limit: Hashable, Sendable {
        var name: String
        var resource: Int32
        var soft: UInt64
        var hard: UInt64
    }

    /// - Parameters:
    ///   - grantable: the capabilities that can be given (``grantable(inUserNamespace:)``).
    ///   - warn: told of what is passed over (a capability that can't be given).
    init(
        _ process: OCISpec.Process, needsProgram: Bool = true, grantable: CapabilitySet, warn: (String) -> Void
    ) throws(RuntimeError) {
        if process.args.isEmpty, needsProgram { throw RuntimeError("process.args is empty: there is nothing to run") }
        for text in process.args + process.env where text.utf8.contains(0) {
            throw RuntimeError("process.args and process.env may not contain a NUL byte")
        }
        if process.cwd.utf8.first != UInt8(ascii: "/") {
            throw RuntimeError("process.cwd \"\(process.cwd)\" is not an absolute path")
        }
        arguments = process.args
        environment = process.env
        workingDirectory = process.cwd
        uid = process.user.uid
        gid = process.user.gid
        groups = process.user.additionalGids
        umask = process.user.umask ?? 0o022
        terminal = process.terminal
        consoleSize = process.consoleSize.map {
            (UInt16(clamping: $0.height), UInt16(clamping: $0.width))
        }
        capabilities = ProcessPlan.capabilities(process.capabilities ?? LinuxCapabilities(), grantable, warn)
        limits = try process.rlimits.map { limit throws(RuntimeError) in try ProcessPlan.limit(limit) }
        noNewPrivileges = process.noNewPrivileges
        oomScoreAdjustment = process.oomScoreAdj
        scheduling = try SchedulingPlan(process)
        labels = try SecurityLabels(process)
    }

    /// Those that the kernel knows and this process has; in a user namespace the first process has them all.
    static func grantable(inUserNamespace: Bool) throws(RuntimeError) -> CapabilitySet {
        let supported = CapabilitySet.supported
        if inUserNamespace { return supported }
        return try step("look at the own capabilities") { () throws(SystemError) in
            try supported.intersection(ProcessCapabilities.current().permitted)
        }
    }

    /// What can't be given is logged, and no reason to fail (config.md, Linux Process, capabilities).
    private static func capabilities(
        _ lists: LinuxCapabilities, _ grantable: CapabilitySet, _ warn: (String) -> Void
    ) -> Capabilities {
        var told: Set<String> = []
        func read(_ names: [String]) -> CapabilitySet {
            var set: CapabilitySet = []
            for name in names {
                guard let capability = CapabilitySet(name: name), grantable.contains(capability) else {
                    if told.insert(name).inserted { warn("ignoring unknown or unavailable capability: \(name)") }
                    continue
                }
                set.insert(capability)
            }
            return set
        }
        let permitted = read(lists.permitted)
        let inheritable = read(lists.inheritable)
        let asked = read(lists.ambient)
        // capabilities(7): the kernel refuses any other.
        let ambient = asked.intersection(permitted).intersection(inheritable)
        for name in asked.subtracting(ambient).names {
            warn("can't raise ambient capability \(name): it must be permitted and inheritable")
        }
        return Capabilities(
            bounding: read(lists.bounding), effective: read(lists.effective), inheritable: inheritable,
            permitted: permitted, ambient: ambient)
    }

    private static func limit(_ limit: POSIXRlimit) throws(RuntimeError) -> Limit {
        guard let number = limitNames.firstIndex(of: limit.type) else {
            throw RuntimeError("process.rlimits: unknown type \"\(limit.type)\"")
        }
        if limit.soft > limit.hard {
            throw RuntimeError("process.rlimits: \(limit.type): soft \(limit.soft) is above hard \(limit.hard)")
        }
        return Limit(name: limit.type, resource: Int32(number), soft: limit.soft, hard: limit.hard)
    }

    /// In the kernel's order (asm-generic/resource.h).
    private static let limitNames = [
        "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_DATA", "RLIMIT_STACK", "RLIMIT_CORE", "RLIMIT_RSS", "RLIMIT_NPROC",
        "RLIMIT_NOFILE", "RLIMIT_MEMLOCK", "RLIMIT_AS", "RLIMIT_LOCKS", "RLIMIT_SIGPENDING", "RLIMIT_MSGQUEUE",
        "RLIMIT_NICE", "RLIMIT_RTPRIO", "RLIMIT_RTTIME",
    ]
}
