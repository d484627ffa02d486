import CLinux
import Glibc

/// A pipe (pipe2(2)), both ends close-on-exec and blocking. Each end is closed once: by its taker, or with this value.
public struct Pipe: ~Copyable, Sendable {
    /// The end that is read, borrowed; -1 once it was taken.
    public private(set) var reading: Int32
    /// The end that is written, borrowed; -1 once it was taken.
    public private(set) var writing: Int32

    public init() throws(SystemError) {
        var ends: (Int32, Int32) = (-1, -1)
        let result = withUnsafeMutablePointer(to: &ends) { pair in
            pair.withMemoryRebound(to: Int32.self, capacity: 2) { sys_pipe($0) }
        }
        try check(result, "pipe")
        (reading, writing) = ends
    }

    /// Gives the reading end away; the receiver closes it.
    public mutating func takeReading() -> Int32 {
        defer { reading = -1 }
        return reading
    }

    /// Gives the writing end away; the receiver closes it.
    public mutating func takeWriting() -> Int32 {
        defer { writing = -1 }
        return writing
    }

    deinit {
        if reading >= 0 { close(reading) }
        if writing >= 0 { close(writing) }
    }
}
