/// Why a text isn't the JSON that was asked for, and where.
public struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong, in words for people, without the place.
    public var reason: String
    /// The way from the outermost value to the faulty one: `process.rlimits[2].soft`; empty at the outermost.
    public var path: String
    /// The byte at which reading stopped, from 0.
    public var offset: Int
    /// The line of that byte, from 1.
    public var line: Int
    /// The byte within the line, from 1.
    public var column: Int

    public init(reason: String, path: String = "", offset: Int = 0, line: Int = 1, column: Int = 1) {
        self.reason = reason
        self.path = path
        self.offset = offset
        self.line = line
        self.column = column
    }

    /// `line 3, column 14: process.cwd: expected a string, found a number`
    public var description: String {
        let place = "line \(line), column \(column): "
        return path.isEmpty ? place + reason : place + path + ": " + reason
    }

    /// The same error seen from the object that holds the faulty value as `key`.
    public func inside(key: String) -> JSONError {
        var outer = self
        outer.path = path.isEmpty || path.utf8.first == UInt8(ascii: "[") ? key + path : key + "." + path
        return outer
    }

    /// The same error seen from the array that holds the faulty value at `index`.
    public func inside(index: Int) -> JSONError {
        var outer = self
        let place = "[" + String(index) + "]"
        outer.path = path.isEmpty || path.utf8.first == UInt8(ascii: "[") ? place + path : place + "." + path
        return outer
    }
}
