/// Several connections over one (containerd's NRI, `multiplex`): each piece has the connection's number and its own length in
/// front, 32 bits each, the highest byte first.
package struct Channels: Sendable {
    package static let headerBytes = 8
    /// What a piece may hold at most: a whole message.
    package static let mostBytes = Frame.headerBytes + Frame.mostBytes
    /// The other end reads through a buffer of this size, piece by piece, and can't take a piece that is larger than what it
    /// still waits for: a message that doesn't fit begins with a piece that fills the buffer.
    private static let bufferBytes = 4096

    private var trunk: [UInt8] = []
    private var streams: [UInt32: [UInt8]] = [:]

    package init() {}

    /// The pieces of one message.
    package static func pieces(_ channel: UInt32, _ frame: Frame) -> [UInt8] {
        let message = frame.encoded
        let first = min(message.count, bufferBytes)
        var bytes = piece(channel, message[..<first])
        if first < message.count { bytes += piece(channel, message[first...]) }
        return bytes
    }

    private static func piece(_ channel: UInt32, _ part: ArraySlice<UInt8>) -> [UInt8] {
        BigEndian.bytes(channel) + BigEndian.bytes(UInt32(part.count)) + part
    }

    /// Takes what has come, and gives the messages that are whole now, in order.
    ///
    /// - Parameter known: the channels that are listened to; what comes for others is dropped
    package mutating func receive(
        _ bytes: ArraySlice<UInt8>, known: Set<UInt32>
    ) throws(WireProblem) -> [(channel: UInt32, frame: Frame)] {
        trunk += bytes
        var found: [(channel: UInt32, frame: Frame)] = []
        while trunk.count >= Channels.headerBytes {
            let channel = BigEndian.number(trunk[0..<4])
            let length = Int(BigEndian.number(trunk[4..<8]))
            guard length <= Channels.mostBytes else {
                throw WireProblem("a piece of \(length) bytes, more than \(Channels.mostBytes)")
            }
            guard trunk.count >= Channels.headerBytes + length else { break }
            let part = trunk[Channels.headerBytes..<Channels.headerBytes + length]
            if known.contains(channel) {
                var stream = streams[channel] ?? []
                stream += part
                while let frame = try Frame.take(from: &stream) { found.append((channel, frame)) }
                streams[channel] = stream
            }
            trunk.removeFirst(Channels.headerBytes + length)
        }
        return found
    }
}
