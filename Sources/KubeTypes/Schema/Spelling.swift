/// Finds the word that was probably meant.
enum Spelling {
    /// The nearest candidate, if one is near enough: the same letters in another case, or few letters away.
    static func nearest(to word: String, in candidates: some Collection<String>) -> String? {
        guard word.utf8.count <= 64 else { return nil }
        let lower = Array(word.lowercased().utf8)
        var best: (word: String, distance: Int)?
        for candidate in candidates.sorted() {
            let distance = distance(lower, Array(candidate.lowercased().utf8))
            if distance < best?.distance ?? Int.max { best = (candidate, distance) }
        }
        guard let best, best.distance <= min(3, lower.count < 4 ? 0 : lower.count / 3) else { return nil }
        return best.word
    }

    /// Insertions, deletions, replacements and swaps of neighbours between two words.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        if abs(left.count - right.count) > 3 { return Int.max }
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for (row, a) in left.enumerated() {
            var current = [row + 1]
            for (column, b) in right.enumerated() {
                var cost = min(last[column + 1] + 1, current[column] + 1, last[column] + (a == b ? 0 : 1))
                if row > 0, column > 0, a == right[column - 1], left[row - 1] == b {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current.append(cost)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
