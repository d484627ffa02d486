/// `pids`: the number of tasks.
enum PidsController {
    /// A negative limit is none. The container's own first task can't be forbidden, so 0 is 1.
    static func plan(_ limit: Int64, version: CgroupVersion) -> [CgroupWrite] {
        [CgroupWrite("pids", "pids.max", limit < 0 ? "max" : String(max(limit, 1)), for: "linux.resources.pids.limit")]
    }
}
