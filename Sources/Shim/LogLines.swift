import Glibc

/// Turns one output stream into lines of the CRI log: `<time> <stream> <F or P> <text>\n`.
///
/// A line of up to 16 KiB is written whole (F) once its newline came. Of a longer one, each 16 KiB are written as soon as
/// they are known not to end it (P), the rest follows with F. What the stream leaves without newline
/// at its end is P, as containerd has it: whoever reads the log adds no newline that was not there.
struct LogLines {
    /// The longest text of one log line in bytes.
    static let limit = 16_384

    private let stream: StaticString
    /// The beginning of a line whose end has not come; at most `limit` bytes.
    private var pending: [UInt8] = []

    /// - Parameter stream: `stdout` or `stderr`
    init(stream: StaticString) {
        self.stream = stream
    }

    /// Takes what was read and appends the lines that are complete.
    ///
    /// - Parameter time: as `LogTimestamp` makes it; all lines of one read carry it
    mutating func append(_ bytes: UnsafeRawBufferPointer, time: [UInt8], to output: inout [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let newline = Self.newline(in: rest)
            let part = rest[rest.startIndex..<(newline ?? rest.endIndex)]
            if pending.count + part.count > Self.limit {
                let room = Self.limit - pending.count
                write(part.prefix(room), tag: UInt8(ascii: "P"), time: time, to: &output)
                rest = rest.dropFirst(room)
            } else if let newline {
                write(part, tag: UInt8(ascii: "F"), time: time, to: &output)
                rest = rest[(newline + 1)...]
            } else {
                pending.append(contentsOf: part)
                return
            }
        }
    }

    /// The stream has ended: what is left over becomes a line.
    mutating func finish(time: [UInt8], to output: inout [UInt8]) {
        if !pending.isEmpty {
            write(UnsafeRawBufferPointer(start: nil, count: 0)[...], tag: UInt8(ascii: "P"), time: time, to: &output)
        }
        pending = []
    }

    private mutating func write(
        _ part: Slice<UnsafeRawBufferPointer>, tag: UInt8, time: [UInt8], to output: inout [UInt8]
    ) {
        output.append(contentsOf: time)
        output.append(UInt8(ascii: " "))
        output.append(contentsOf: UnsafeBufferPointer(start: stream.utf8Start, count: stream.utf8CodeUnitCount))
        output.append(UInt8(ascii: " "))
        output.append(tag)
        output.append(UInt8(ascii: " "))
        if !pending.isEmpty {
            output.append(contentsOf: pending)
            pending.removeAll(keepingCapacity: true)
        }
        output.append(contentsOf: UnsafeRawBufferPointer(rebasing: part))
        output.append(UInt8(ascii: "\n"))
    }

    private static func newline(in slice: Slice<UnsafeRawBufferPointer>) -> Int? {
        let buffer = UnsafeRawBufferPointer(rebasing: slice)
        guard let base = buffer.baseAddress, let found = memchr(base, 10, buffer.count) else { return nil }
        return slice.startIndex + (UnsafeRawPointer(found) - base)
    }
}
