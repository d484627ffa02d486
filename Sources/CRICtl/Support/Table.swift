/// Rows in columns that are at least 20 characters wide and 3 apart, left-aligned, as crictl's tables are.
struct Table {
    private var rows: [[String]]
    private let minimumWidth: Int

    init(_ header: [String] = [], minimumWidth: Int = 20) {
        rows = header.isEmpty ? [] : [header]
        self.minimumWidth = minimumWidth
    }

    mutating func add(_ row: [String]) { rows.append(row) }

    /// The lines, each with its end; the last cell of a row isn't padded.
    var text: String {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.dropLast().enumerated() {
                if column == widths.count { widths.append(minimumWidth) }
                widths[column] = max(widths[column], cell.unicodeScalars.count + 3)
            }
        }
        var text = ""
        for row in rows {
            for (column, cell) in row.enumerated() {
                text += cell
                if column < row.count - 1 {
                    text += String(repeating: " ", count: widths[column] - cell.unicodeScalars.count)
                }
            }
            text += "\n"
        }
        return text
    }
}
