/// Turns log lines into what is printed, within the limits that were asked for.
struct LogPrinter {
    var timestamps = false
    /// Nanoseconds since 1970; older lines are left out.
    var since: Int64?
    /// How many bytes may still be printed.
    var remaining = Int.max
    var wantsOutput = true
    var wantsErrors = true

    private(set) var output: [UInt8] = []
    private(set) var errors: [UInt8] = []
    private var atLineStart = true

    /// Whether nothing more may be printed.
    var isFull: Bool { remaining <= 0 }

    init() {}

    /// Adds a line; the printed bytes gather in `output` and `errors` until ``flush()``.
    mutating func add(_ line: LogLine) {
        if let since, let time = line.nanoseconds, time < since { return }
        var bytes: [UInt8] = []
        if timestamps, atLineStart { bytes = line.shownTimestamp + [32] }
        bytes += line.content
        atLineStart = line.content.last.map { $0 == 10 } ?? true
        guard line.isError ? wantsErrors : wantsOutput else { return }
        if bytes.count > remaining { bytes.removeLast(bytes.count - remaining) }
        remaining -= bytes.count
        if line.isError { errors += bytes } else { output += bytes }
    }

    /// Hands out what has gathered.
    mutating func flush() {
        if !output.isEmpty { Output.current.write(output) }
        if !errors.isEmpty { Output.current.writeError(errors) }
        output.removeAll(keepingCapacity: true)
        errors.removeAll(keepingCapacity: true)
    }
}
