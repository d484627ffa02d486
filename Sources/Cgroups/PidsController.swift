/// `pids`: the number of tasks.
enum PidsController {
    /// A negative limit is none; 0 is taken as it stands (runtime-spec 1.3).
    static func plan(_ limit: Int64, version: CgroupVersion) -> [CgroupWrite] {
        [CgroupWrite("pids", "pids.max", limit < 0 ? "max" : String(limit), for: "linux.resources.pids.limit")]
    }
}
