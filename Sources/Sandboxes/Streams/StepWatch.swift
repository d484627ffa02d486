/// How long each step of something took, for the debug log.
struct StepWatch: CustomStringConvertible, Sendable {
    private let clock = ContinuousClock()
    private var last: ContinuousClock.Instant
    private var laps: [(String, Duration)] = []

    init() { last = clock.now }

    mutating func lap(_ name: String) {
        let now = clock.now
        laps.append((name, now - last))
        last = now
    }

    /// `shim 4.1, files 0.2, create 11.0`, in milliseconds.
    var description: String {
        laps.map { name, duration in
            let microseconds =
                duration.components.attoseconds / 1_000_000_000_000 + duration.components.seconds * 1_000_000
            return "\(name) \(microseconds / 1000).\(microseconds % 1000 / 100)"
        }.joined(separator: ", ")
    }
}
