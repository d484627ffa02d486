import Glibc

/// One line at the bottom of a terminal that tells how far long work has come; silent where there is no terminal.
enum ProgressLine {
    private static let isTerminal = isatty(STDERR_FILENO) == 1

    /// Replaces the line.
    static func show(_ text: String, _ done: UInt64, of total: UInt64) {
        guard isTerminal else { return }
        let share = total > 0 ? " \(min(100, done * 100 / total)) %" : ""
        StandardError.write("\r\u{1B}[K\(text)\(share)")
    }

    /// Takes the line away.
    static func clear() {
        guard isTerminal else { return }
        StandardError.write("\r\u{1B}[K")
    }
}

/// Sizes as people read them.
package enum ByteCount {
    /// "1.2 MB": decimal units, as docker and crictl print image sizes.
    package static func text(_ bytes: UInt64) -> String {
        var value = Double(bytes)
        var unit = 0
        let units = ["B", "kB", "MB", "GB", "TB"]
        while value >= 1000 && unit + 1 < units.count {
            value /= 1000
            unit += 1
        }
        let tenths = Int((value * 10).rounded())
        return unit == 0 || tenths >= 1000
            ? "\(tenths / 10) \(units[unit])" : "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }
}
