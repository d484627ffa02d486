import JSON

/// What the engine found when it started, and what it put right: told in the log, and by `Status` when it is asked for more.
struct Recovery: Sendable {
    /// One thing that was not as it should be.
    struct Repair: Sendable, Equatable {
        /// `namespace/name`, or the beginning of the sandbox's id when nothing else is known of it.
        var pod: String
        /// nil for the pod as a whole.
        var container: String?
        var what: String
        var why: String
    }

    /// The first ones are kept; all are logged.
    static let mostRepairs = 500

    private(set) var repairs: [Repair] = []
    private(set) var count = 0
    var sandboxes = 0
    var containers = 0
    var running = 0
    var startedAtNanoseconds: Int64 = 0
    /// 0 as long as what was left undone is being taken away.
    var finishedAtNanoseconds: Int64 = 0

    mutating func add(_ repair: Repair) {
        count += 1
        if repairs.count < Self.mostRepairs { repairs.append(repair) }
    }

    var json: JSONValue {
        [
            "startedAt": .int(startedAtNanoseconds), "finishedAt": .int(finishedAtNanoseconds),
            "sandboxes": .int(Int64(sandboxes)), "containers": .int(Int64(containers)),
            "running": .int(Int64(running)), "repairCount": .int(Int64(count)),
            "repairs": .array(
                repairs.map { repair -> JSONValue in
                    [
                        "pod": .string(repair.pod), "container": repair.container.map(JSONValue.string) ?? .null,
                        "what": .string(repair.what), "why": .string(repair.why),
                    ]
                }),
        ]
    }
}
