import CRI
import Images
import OCISpec
import ShimClient

/// The ids of a pod's user namespace.
struct IDMappings: Sendable, Equatable {
    var uids: [LinuxIDMapping]
    var gids: [LinuxIDMapping]

    /// The kernel's limit (user_namespaces(7)).
    private static let mostRanges = 340

    /// What `userns_options` asks for; nil is the host's user namespace.
    ///
    /// - Throws: `.invalidArgument` for a mode without a meaning here, and for mappings that are none
    static func wish(_ options: CRINamespaceOption, for what: String) throws(CRIError) -> IDMappings? {
        guard options.hasUsernsOptions else { return nil }
        let asked = options.usernsOptions
        switch asked.mode {
        case .node:
            guard asked.uids.isEmpty, asked.gids.isEmpty else {
                throw CRIError(.invalidArgument, "\(what): userns_options: mode NODE with uid or gid mappings")
            }
            return nil
        case .pod:
            guard !asked.uids.isEmpty, !asked.gids.isEmpty else {
                throw CRIError(.invalidArgument, "\(what): userns_options: mode POD without uid and gid mappings")
            }
            let mappings = IDMappings(
                uids: try ranges(asked.uids, "\(what): userns_options: uids"),
                gids: try ranges(asked.gids, "\(what): userns_options: gids"))
            guard host(0, mappings.uids) != nil, host(0, mappings.gids) != nil else {
                throw CRIError(
                    .invalidArgument,
                    "\(what): userns_options: id 0 is not mapped: a pod's first process begins as root")
            }
            return mappings
        default:
            throw CRIError(.invalidArgument, "\(what): userns_options: mode \(asked.mode): only POD and NODE are known")
        }
    }

    /// The CRI's ranges in the runtime's words: not empty, within 32 bits, disjoint on both sides.
    static func ranges(_ asked: [CRIIDMapping], _ what: String) throws(CRIError) -> [LinuxIDMapping] {
        guard asked.count <= mostRanges else {
            throw CRIError(.invalidArgument, "\(what): \(asked.count) mappings, the kernel takes \(mostRanges)")
        }
        for (index, range) in asked.enumerated() {
            let last = UInt64(UInt32.max)
            guard range.length > 0, UInt64(range.hostID) + UInt64(range.length) <= last,
                UInt64(range.containerID) + UInt64(range.length) <= last
            else {
                throw CRIError(
                    .invalidArgument,
                    "\(what): \(range.containerID) to \(range.hostID), length \(range.length): not a range of ids")
            }
            for other in asked[..<index] {
                guard !overlap(range.containerID, other.containerID, range.length, other.length),
                    !overlap(range.hostID, other.hostID, range.length, other.length)
                else {
                    throw CRIError(
                        .invalidArgument,
                        "\(what): the ranges of \(other.containerID) and \(range.containerID) have ids in common")
                }
            }
        }
        return asked.map { LinuxIDMapping(containerID: $0.containerID, hostID: $0.hostID, size: $0.length) }
    }

    private static func overlap(_ a: UInt32, _ b: UInt32, _ aLength: UInt32, _ bLength: UInt32) -> Bool {
        UInt64(a) < UInt64(b) + UInt64(bLength) && UInt64(b) < UInt64(a) + UInt64(aLength)
    }

    /// The owner on the host of what belongs to `id` inside; nil where the namespace has no such id.
    static func host(_ id: UInt32, _ ranges: [LinuxIDMapping]) -> UInt32? {
        for range in ranges where id >= range.containerID && id - range.containerID < range.size {
            return range.hostID &+ (id - range.containerID)
        }
        return nil
    }

    /// The pod's root on the host, who owns the pod's files.
    var root: (uid: UInt32, gid: UInt32) { (Self.host(0, uids) ?? 65534, Self.host(0, gids) ?? 65534) }

    func shim(path: String) -> ShimUserNamespace {
        func ranges(_ all: [LinuxIDMapping]) -> [ShimUserNamespace.Range] {
            all.map { ShimUserNamespace.Range(inside: $0.containerID, outside: $0.hostID, count: $0.size) }
        }
        return ShimUserNamespace(path: path, uids: ranges(uids), gids: ranges(gids))
    }

    func rootMapping(path: String) -> RootMapping {
        func ranges(_ all: [LinuxIDMapping]) -> [RootMapping.Range] {
            all.map { RootMapping.Range(container: $0.containerID, host: $0.hostID, count: $0.size) }
        }
        return RootMapping(namespace: path, uids: ranges(uids), gids: ranges(gids))
    }
}
