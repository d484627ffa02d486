/// Rows whose columns line up, as kubectl prints them: three spaces between columns, no space at the end of a line.
package struct Table {
    let header: [String]
    private(set) var rows: [[String]] = []

    package init(_ header: String...) { self.header = header }

    package mutating func add(_ row: [String]) { rows.append(row) }

    package var text: String {
        var widths = header.map(\.count)
        for row in rows {
            for (column, cell) in row.enumerated() { widths[column] = max(widths[column], cell.count) }
        }
        return ([header] + rows).map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell
                if column + 1 < row.count {
                    line += String(repeating: " ", count: widths[column] - cell.count + 3)
                }
            }
            while line.last == " " { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }
}
