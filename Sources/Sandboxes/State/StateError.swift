/// Why the engine's state can't be read or written, in words for whoever has to mend it.
struct StateError: Error, Sendable, Equatable, CustomStringConvertible {
    enum Code: Sendable {
        /// The disk, or the quota, is full: what the disk has room for again can be written again.
        case full
        /// The engine has let go of its state: it is shutting down.
        case closed
        case failed
    }

    var code: Code
    var description: String
}
