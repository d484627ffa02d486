import Linux

/// What a network interface has carried, from the table of a process's network namespace (proc_net(5)).
struct InterfaceCounters: Sendable, Equatable {
    var name: String
    var receivedBytes: UInt64
    var receiveErrors: UInt64
    var sentBytes: UInt64
    var sendErrors: UInt64

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
            guard numbers.count >= 11 else { return nil }
            return InterfaceCounters(
                name: String(name), receivedBytes: numbers[0], receiveErrors: numbers[2], sentBytes: numbers[8],
                sendErrors: numbers[10])
        }
    }
}
