/// The one buffer that every stream is read through: the shim has one thread.
final class Scratchpad {
    static let size = 32 << 10

    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: Scratchpad.size, alignment: 16)
    /// Log lines on their way to a file.
    var lines: [UInt8] = []
    var timestamp = LogTimestamp()

    deinit {
        bytes.deallocate()
    }
}
