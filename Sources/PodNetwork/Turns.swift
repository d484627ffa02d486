/// Lets one piece of work at a time happen for each key; those for different keys happen side by side.
///
/// For use inside an actor: the turn is held across its suspensions.
struct Turns {
    private var lines: [String: [CheckedContinuation<Void, Never>]] = [:]

    /// Whether the key is free; if so, it is taken.
    mutating func takeIfFree(_ key: String) -> Bool {
        if lines[key] != nil { return false }
        lines[key] = []
        return true
    }

    mutating func wait(_ key: String, _ continuation: CheckedContinuation<Void, Never>) {
        lines[key, default: []].append(continuation)
    }

    /// Hands the turn to the next in line.
    mutating func giveBack(_ key: String) {
        guard var line = lines[key] else { return }
        if line.isEmpty {
            lines[key] = nil
        } else {
            let next = line.removeFirst()
            lines[key] = line
            next.resume()
        }
    }
}
