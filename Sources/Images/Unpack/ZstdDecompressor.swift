import CArchive
import Glibc

/// Decompresses zstd, also of several frames, through libarchive's filter.
final class ZstdDecompressor: ByteSource {
    /// What libarchive's callbacks reach through their opaque pointer.
    private final class Feed {
        let source: any ByteSource
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
        var failure: ImportFailure?

        init(_ source: any ByteSource) { self.source = source }
        deinit { buffer.deallocate() }
    }

    private let archive: OpaquePointer
    private let feed: Feed
    private var pending = UnsafeRawBufferPointer(start: nil, count: 0)
    private var ended = false

    init(_ source: any ByteSource) throws(ImportFailure) {
        guard let archive = archive_read_new() else {
            throw .failed(step: "start", path: "libarchive", reason: errnoText(ENOMEM))
        }
        self.archive = archive
        feed = Feed(source)
        archive_read_support_filter_zstd(archive)
        archive_read_support_format_raw(archive)
        archive_read_support_format_empty(archive)
        let opened = archive_read_open(
            archive, Unmanaged.passUnretained(feed).toOpaque(), nil,
            { _, context, block in
                guard let context, let block else { return -1 }
                let feed = Unmanaged<Feed>.fromOpaque(context).takeUnretainedValue()
                do throws(ImportFailure) {
                    let count = try feed.source.read(into: feed.buffer)
                    block.pointee = UnsafeRawPointer(feed.buffer.baseAddress)
                    return count
                } catch {
                    feed.failure = error
                    return -1
                }
            }, nil)
        if opened != ARCHIVE_OK { throw failure() }
        var entry: OpaquePointer?
        switch archive_read_next_header(archive, &entry) {
        case ARCHIVE_OK, ARCHIVE_WARN: break
        case ARCHIVE_EOF: ended = true
        default: throw failure()
        }
    }

    deinit { archive_read_free(archive) }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ImportFailure) -> Int {
        while pending.isEmpty && !ended {
            var block: UnsafeRawPointer?
            var count = 0
            var offset: la_int64_t = 0
            switch archive_read_data_block(archive, &block, &count, &offset) {
            case ARCHIVE_OK, ARCHIVE_WARN: pending = UnsafeRawBufferPointer(start: block, count: count)
            case ARCHIVE_EOF: ended = true
            default: throw failure()
            }
        }
        let count = min(buffer.count, pending.count)
        guard count > 0 else { return 0 }
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: pending[..<count]))
        pending = UnsafeRawBufferPointer(rebasing: pending[count...])
        return count
    }

    private func failure() -> ImportFailure {
        if let failure = feed.failure { return failure }
        let text = archive_error_string(archive).map { String(cString: $0) } ?? "unknown error"
        return .refused(entry: nil, reason: "can't be decompressed: \(printable(text.utf8))")
    }
}

extension Compression {
    /// What undoes it.
    ///
    /// - Throws: for one that isn't done
    func decompressor(_ source: any ByteSource) throws(ImportFailure) -> any ByteSource {
        switch self {
        case .none: return source
        case .gzip: return GzipInflater(source)
        case .zstd: return try ZstdDecompressor(source)
        case .unsupported(let name):
            throw .refused(entry: nil, reason: "compressed with \(name); plain, gzip and zstd can be read")
        }
    }
}
