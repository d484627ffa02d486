import CLinux
import Glibc

/// What ends an import or a pull inside the store; the tarball's or the image's name is added where it leaves.
enum ImportFailure: Error, Hashable {
    /// The tarball's fault. `entry` is the name inside it.
    case refused(entry: String?, reason: String)
    /// The machine's fault.
    case failed(step: String, path: String, reason: String)
    /// The registry's fault, or that of the way there.
    case registry(RegistryFailure)
    /// Whoever asked has gone.
    case cancelled

    func imageError(tarball: String) -> ImageError {
        switch self {
        case .refused(let entry, let reason): .refused(tarball: tarball, entry: entry, reason: reason)
        case .failed(let step, let path, let reason): .failed(step: step, path: path, reason: reason)
        case .registry(let failure): .registry(image: tarball, failure)
        case .cancelled: .cancelled(tarball)
        }
    }

    /// Names the entry when the refusal doesn't name one yet, and the archive around it when it does.
    func inside(_ name: String) -> ImportFailure {
        switch self {
        case .refused(nil, let reason): .refused(entry: name, reason: reason)
        case .refused(let entry?, let reason): .refused(entry: "\(name): \(entry)", reason: reason)
        case .failed, .registry, .cancelled: self
        }
    }

    /// A call that returned `-errno`.
    static func call(_ step: String, _ path: String, _ result: some BinaryInteger) -> ImportFailure {
        .failed(step: step, path: path, reason: errnoText(-Int32(truncatingIfNeeded: result)))
    }
}

/// errno's text, with what to do about it where that is always the same.
func errnoText(_ code: Int32) -> String {
    let text = String(cString: strerror(code))
    switch code {
    case ENOSPC, EDQUOT: return text + " (free some, or remove images that nothing uses)"
    case EMFILE, ENFILE: return text + " (raise the limit of open files)"
    case EPERM: return text + " (the store must run as root with CAP_SYS_ADMIN and CAP_MKNOD)"
    default: return text
    }
}

/// The result of a call that returns `-errno`, or the failure with the step's name and path.
@discardableResult
@inline(__always)
func check(
    _ result: Int32, _ step: @autoclosure () -> String, _ path: @autoclosure () -> String
) throws(ImportFailure) -> Int32 {
    if result < 0 { throw .call(step(), path(), result) }
    return result
}

/// The result of a libc call that sets errno.
@discardableResult
@inline(__always)
func checkErrno(
    _ result: Int32, _ step: @autoclosure () -> String, _ path: @autoclosure () -> String
) throws(ImportFailure) -> Int32 {
    if result < 0 { throw .call(step(), path(), -errno) }
    return result
}

/// A name from an archive, fit to be shown on a terminal and in a log line: control characters and bytes that are no
/// UTF-8 as `\xNN`, at most 200 bytes.
func printable(_ name: some Collection<UInt8>) -> String {
    var text = ""
    for scalar in String(decoding: name.prefix(200), as: UTF8.self).unicodeScalars {
        switch scalar.value {
        case 0..<0x20, 0x7f..<0xa0, 0x200b..<0x2010, 0x2028..<0x202f, 0x2066..<0x206a:
            let hex = String(scalar.value, radix: 16)
            text += scalar.value < 0x100 ? "\\x" + (hex.count < 2 ? "0" : "") + hex : "\\u{\(hex)}"
        default: text.unicodeScalars.append(scalar)
        }
    }
    return name.count > 200 ? text + "…" : text
}
