import Glibc

/// The name of an object's member as it stands in the reader's buffer: compared without making a `String`.
///
/// Valid only inside the closure that `JSONReader.readObject` calls with it.
public struct JSONKey {
    @usableFromInline let start: UnsafePointer<UInt8>
    @usableFromInline let count: Int

    @usableFromInline init(start: UnsafePointer<UInt8>, count: Int) {
        self.start = start
        self.count = count
    }

    /// The name as text.
    public var string: String {
        String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    /// Lets `switch key { case "name": … }` cost one comparison of lengths for most cases.
    @inlinable public static func ~= (pattern: StaticString, key: JSONKey) -> Bool {
        key.count == pattern.utf8CodeUnitCount && memcmp(key.start, pattern.utf8Start, key.count) == 0
    }
}
