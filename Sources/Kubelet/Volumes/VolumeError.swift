/// Why a volume or a mount of it can't be had.
struct VolumeError: Error, Sendable, Equatable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
