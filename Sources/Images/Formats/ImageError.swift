/// Why the store couldn't do what it was asked. ``description`` is one line for the person who asked.
public enum ImageError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The tarball isn't an image, is damaged, or is hostile; nothing of it was kept. `entry` is the name inside it.
    case refused(tarball: String, entry: String?, reason: String)
    /// No image of that name, digest or id.
    case notFound(reference: String)
    /// Not a name, digest or id at all.
    case invalidReference(String, reason: String)
    /// The kernel or the disk said no: what was tried, where, and errno's text.
    case failed(step: String, path: String, reason: String)
    /// The image can't be had from its registry.
    case registry(image: String, RegistryFailure)
    /// Whoever asked has gone; nothing of it was kept.
    case cancelled(String)

    public var description: String {
        switch self {
        case .refused(let tarball, let entry?, let reason): "\(tarball): \(entry): \(reason)"
        case .refused(let tarball, nil, let reason): "\(tarball): \(reason)"
        case .notFound(let reference): "no image \(reference) in the store"
        case .invalidReference(let text, let reason): "invalid image reference \"\(text)\": \(reason)"
        case .failed(let step, let path, let reason): "\(step) \(path): \(reason)"
        case .registry(let image, let failure): "\(image): \(failure)"
        case .cancelled(let subject): "\(subject): cancelled"
        }
    }
}
