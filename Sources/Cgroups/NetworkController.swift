import OCISpec

/// `net_cls` and `net_prio`: only v1 has them.
enum NetworkController {
    static func plan(_ network: LinuxNetwork, host: CgroupHost) throws(CgroupError) -> [CgroupWrite] {
        var writes: [CgroupWrite] = []
        if let classID = network.classID, classID != 0 {
            try require("net_cls", "linux.resources.network.classID", host)
            writes.append(
                CgroupWrite("net_cls", "net_cls.classid", String(classID), for: "linux.resources.network.classID"))
        }
        for priority in network.priorities {
            try require("net_prio", "linux.resources.network.priorities", host)
            writes.append(
                CgroupWrite(
                    "net_prio", "net_prio.ifpriomap", "\(priority.name) \(priority.priority)",
                    for: "linux.resources.network.priorities"))
        }
        return writes
    }

    private static func require(_ controller: String, _ field: String, _ host: CgroupHost) throws(CgroupError) {
        if host.hierarchy(of: controller) != nil { return }
        throw CgroupError(
            "plan \(field)",
            hint: "this host has no \(controller) controller; cgroup v2 has none, mark packets by nftables")
    }
}
