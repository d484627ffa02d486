import NIOCore

/// A block of headers as it is before it is deflated: a count, then names and values with their lengths (2.6.10).
enum HeaderBlock {
    static func write(_ headers: SPDYFrame.Headers) -> [UInt8] {
        var buffer = ByteBuffer()
        buffer.writeInteger(UInt32(headers.count))
        // Sorted, so that the same headers are the same bytes.
        for (name, value) in headers.sorted(by: { $0.key < $1.key }) {
            buffer.writeInteger(UInt32(name.utf8.count))
            buffer.writeString(name)
            buffer.writeInteger(UInt32(value.utf8.count))
            buffer.writeString(value)
        }
        return Array(buffer.readableBytesView)
    }

    static func read(_ text: [UInt8]) throws -> SPDYFrame.Headers {
        var buffer = ByteBuffer(bytes: text)
        guard let count = buffer.readInteger(as: UInt32.self), count <= SPDYLimits.headers else {
            throw SPDYViolation("more than \(SPDYLimits.headers) headers")
        }
        var headers: SPDYFrame.Headers = [:]
        for _ in 0..<count {
            // Spdystream writes Go's names in lower case, others may not.
            let name = try string(&buffer).lowercased()
            guard headers.updateValue(try string(&buffer), forKey: name) == nil else {
                throw SPDYViolation("a header twice in a block")
            }
        }
        guard buffer.readableBytes == 0 else { throw SPDYViolation("bytes after the last header") }
        return headers
    }

    private static func string(_ buffer: inout ByteBuffer) throws -> String {
        guard let length = buffer.readInteger(as: UInt32.self), length <= buffer.readableBytes,
            let text = buffer.readString(length: Int(length))
        else { throw SPDYViolation("a header that is longer than its block") }
        return text
    }
}
