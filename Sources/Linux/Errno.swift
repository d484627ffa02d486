import CLinux
import Glibc

/// A kernel error number (errno(3)), always positive.
public struct Errno: RawRepresentable, Error, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: Int32

    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// The calling thread's last error, to be read at once after a glibc call that failed.
    public static var current: Errno { Errno(rawValue: errno) }

    /// What strerror(3) says: "No such file or directory".
    public var description: String {
        guard let text = sys_error_text(rawValue) else { return "error \(rawValue)" }
        return String(cString: text)
    }

    /// The symbolic name: "ENOENT".
    public var name: String {
        guard let text = sys_error_name(rawValue) else { return "errno \(rawValue)" }
        return String(cString: text)
    }

    public static let perm = Errno(rawValue: EPERM)
    public static let noEntry = Errno(rawValue: ENOENT)
    public static let noProcess = Errno(rawValue: ESRCH)
    public static let interrupted = Errno(rawValue: EINTR)
    public static let io = Errno(rawValue: EIO)
    public static let noExec = Errno(rawValue: ENOEXEC)
    public static let badDescriptor = Errno(rawValue: EBADF)
    public static let noChild = Errno(rawValue: ECHILD)
    public static let again = Errno(rawValue: EAGAIN)
    public static let noMemory = Errno(rawValue: ENOMEM)
    public static let access = Errno(rawValue: EACCES)
    public static let busy = Errno(rawValue: EBUSY)
    public static let exists = Errno(rawValue: EEXIST)
    public static let crossDevice = Errno(rawValue: EXDEV)
    public static let noDevice = Errno(rawValue: ENODEV)
    public static let notDirectory = Errno(rawValue: ENOTDIR)
    public static let isDirectory = Errno(rawValue: EISDIR)
    public static let invalid = Errno(rawValue: EINVAL)
    public static let tooManyOpen = Errno(rawValue: EMFILE)
    public static let tooBig = Errno(rawValue: EFBIG)
    public static let noSpace = Errno(rawValue: ENOSPC)
    public static let readOnly = Errno(rawValue: EROFS)
    public static let brokenPipe = Errno(rawValue: EPIPE)
    public static let range = Errno(rawValue: ERANGE)
    public static let nameTooLong = Errno(rawValue: ENAMETOOLONG)
    public static let noSystemCall = Errno(rawValue: ENOSYS)
    public static let notEmpty = Errno(rawValue: ENOTEMPTY)
    public static let loop = Errno(rawValue: ELOOP)
    public static let noData = Errno(rawValue: ENODATA)
    public static let messageSize = Errno(rawValue: EMSGSIZE)
    public static let notSupported = Errno(rawValue: ENOTSUP)
    public static let connectionRefused = Errno(rawValue: ECONNREFUSED)
    public static let connectionReset = Errno(rawValue: ECONNRESET)
    public static let timedOut = Errno(rawValue: ETIMEDOUT)
    public static let quota = Errno(rawValue: EDQUOT)
}
