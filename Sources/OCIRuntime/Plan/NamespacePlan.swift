import Linux
import OCISpec

/// Which namespaces are made, and which are joined.
struct NamespacePlan: Hashable, Sendable {
    struct Join: Hashable, Sendable {
        var kind: Namespace
        var path: String
    }

    var created: [Namespace] = []
    var joined: [Join] = []

    init(_ namespaces: [LinuxNamespace]) throws(RuntimeError) {
        for namespace in namespaces {
            guard let kind = NamespacePlan.kind(namespace.type) else {
                throw RuntimeError("linux.namespaces: unknown type \"\(namespace.type.rawValue)\"")
            }
            if created.contains(kind) || joined.contains(where: { $0.kind == kind }) {
                throw RuntimeError("linux.namespaces: \(namespace.type.rawValue) is named twice")
            }
            if let path = namespace.path, !path.isEmpty {
                if path.utf8.first != UInt8(ascii: "/") {
                    throw RuntimeError("linux.namespaces: \(namespace.type.rawValue): the path \(path) is not absolute")
                }
                joined.append(Join(kind: kind, path: path))
            } else {
                created.append(kind)
            }
        }
    }

    func creates(_ kind: Namespace) -> Bool { created.contains(kind) }
    func joins(_ kind: Namespace) -> Bool { joined.contains { $0.kind == kind } }
    func has(_ kind: Namespace) -> Bool { creates(kind) || joins(kind) }

    static func kind(_ type: LinuxNamespaceType) -> Namespace? {
        switch type {
        case .pid: .pid
        case .network: .network
        case .mount: .mount
        case .ipc: .ipc
        case .uts: .uts
        case .user: .user
        case .cgroup: .cgroup
        case .time: .time
        default: nil
        }
    }
}
