import CZlib

/// Inflates the blocks of headers of one direction of a connection, which are one zlib stream.
final class HeaderInflater {
    /// On the heap: zlib remembers the address.
    private let stream: UnsafeMutablePointer<z_stream>

    init() throws {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard inflateInit_(stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            stream.deallocate()
            throw SPDYViolation("no memory to inflate headers")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Inflates one block.
    ///
    /// - Throws: ``SPDYViolation`` when it is damaged, or larger than `limit` when it is inflated.
    func inflate(_ block: [UInt8], limit: Int = SPDYLimits.headerBytes) throws -> [UInt8] {
        var block = block
        var violation: SPDYViolation?
        let text = [UInt8](unsafeUninitializedCapacity: limit + 1) { output, count in
            block.withUnsafeMutableBufferPointer { input in
                violation = inflate(input, output)
            }
            count = output.count - Int(stream.pointee.avail_out)
            // zlib keeps the addresses, and must not find them again.
            stream.pointee.next_in = nil
            stream.pointee.next_out = nil
        }
        if let violation { throw violation }
        guard text.count <= limit else { throw SPDYViolation("headers of more than \(limit) bytes") }
        return text
    }

    private func inflate(
        _ input: UnsafeMutableBufferPointer<UInt8>, _ output: UnsafeMutableBufferPointer<UInt8>
    ) -> SPDYViolation? {
        stream.pointee.next_in = input.baseAddress
        stream.pointee.avail_in = UInt32(input.count)
        stream.pointee.next_out = output.baseAddress
        stream.pointee.avail_out = UInt32(output.count)
        while stream.pointee.avail_in > 0, stream.pointee.avail_out > 0 {
            var result = CZlib.inflate(stream, Z_SYNC_FLUSH)
            if result == Z_NEED_DICT {
                var dictionary = SPDYDictionary.bytes
                result = inflateSetDictionary(stream, &dictionary, UInt32(dictionary.count))
            }
            guard result == Z_OK else { return SPDYViolation("headers that can't be inflated (\(result))") }
        }
        return nil
    }
}

/// Deflates the blocks of headers of one direction of a connection.
final class HeaderDeflater {
    private let stream: UnsafeMutablePointer<z_stream>

    init() throws {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        var dictionary = SPDYDictionary.bytes
        // A window of 2 KiB holds the dictionary, and what is written is small.
        let made = deflateInit2_(
            stream, Z_BEST_COMPRESSION, Z_DEFLATED, 11, 1, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard made == Z_OK, deflateSetDictionary(stream, &dictionary, UInt32(dictionary.count)) == Z_OK else {
            if made == Z_OK { deflateEnd(stream) }
            stream.deallocate()
            throw SPDYViolation("no memory to deflate headers")
        }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// Deflates one block, up to the last of its bytes.
    func deflate(_ text: [UInt8]) throws -> [UInt8] {
        var text = text
        var failed = false
        let room = text.count + text.count / 8 + 128
        let block = [UInt8](unsafeUninitializedCapacity: room) { output, count in
            text.withUnsafeMutableBufferPointer { input in
                stream.pointee.next_in = input.baseAddress
                stream.pointee.avail_in = UInt32(input.count)
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = UInt32(output.count)
                failed = CZlib.deflate(stream, Z_SYNC_FLUSH) != Z_OK
            }
            count = output.count - Int(stream.pointee.avail_out)
            stream.pointee.next_in = nil
            stream.pointee.next_out = nil
        }
        guard !failed, block.count < room else { throw SPDYViolation("headers that can't be deflated") }
        return block
    }
}
