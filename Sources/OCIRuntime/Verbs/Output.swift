import Glibc
import Linux

/// Standard output.
enum Output {
    static func text(_ text: String) { bytes(Array(text.utf8)) }

    static func line(_ line: [UInt8]) { bytes(line + [UInt8(ascii: "\n")]) }

    private static func bytes(_ bytes: [UInt8]) {
        let stream = Descriptor(owning: 1)
        // A reader that went away (`… | head`) is its own affair.
        try? stream.writeAll(bytes)
        _ = stream.release()
    }

    /// Columns as wide as their widest cell, three spaces between them, as Go's tabwriter has it.
    static func table(_ rows: [[String]], gap: Int = 3, minimum: Int = 12) {
        guard let columns = rows.first?.count else { return }
        let widths = (0..<columns).map { column in
            max(minimum, (rows.map { $0[column].utf8.count }.max() ?? 0) + gap)
        }
        var all = ""
        for row in rows {
            for (column, cell) in row.enumerated() {
                all += cell
                if column < columns - 1 { all += String(repeating: " ", count: widths[column] - cell.utf8.count) }
            }
            all += "\n"
        }
        text(all)
    }
}
