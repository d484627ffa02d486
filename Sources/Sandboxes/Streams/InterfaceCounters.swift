import Linux

/// What a network interface has carried, from the table of a process's network namespace (proc_net(5)).
struct InterfaceCounters: Sendable, Equatable {
    /// One direction.
    struct Way: Sendable, Equatable {
        var bytes: UInt64 = 0
        var packets: UInt64 = 0
        var errors: UInt64 = 0
        var dropped: UInt64 = 0
    }

    var name: String
    var received: Way
    var sent: Way

    /// The interfaces that the process sees; none when it is gone. Blocking.
    static func read(pid: Int32) -> [InterfaceCounters] {
        guard pid > 0, let text = try? File.readText("/proc/\(pid)/net/dev", limit: 1 << 20) else { return [] }
        return parse(text)
    }

    static func parse(_ text: String) -> [InterfaceCounters] {
        text.split(separator: "\n").dropFirst(2).compactMap { line in
            guard let colon = line.lastIndex(of: ":") else { return nil }
            let name = line[..<colon].drop { $0 == " " }
            let numbers = line[line.index(after: colon)...].split(separator: " ").map { UInt64($0) ?? 0 }
            guard numbers.count >= 12 else { return nil }
            func way(_ first: Int) -> Way {
                Way(
                    bytes: numbers[first], packets: numbers[first + 1], errors: numbers[first + 2],
                    dropped: numbers[first + 3])
            }
            return InterfaceCounters(name: String(name), received: way(0), sent: way(8))
        }
    }
}
