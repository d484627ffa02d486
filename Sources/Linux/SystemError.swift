import Glibc

/// A system call that failed: which, on what, and why.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The call's name as in its man page, with what it was for when the name alone says too little.
    public let call: String
    /// The path it was about, when there was one.
    public let path: String?
    public let errno: Errno

    public init(_ call: String, path: String? = nil, errno: Errno) {
        self.call = call
        self.path = path
        self.errno = errno
    }

    /// "open /etc/x: No such file or directory".
    public var description: String {
        if let path { return "\(call) \(path): \(errno)" }
        return "\(call): \(errno)"
    }
}

/// Turns CLinux's convention (a value, or -errno) into a value or a thrown ``SystemError``.
@inlinable @discardableResult
public func check<Value: FixedWidthInteger & SignedInteger>(
    _ result: Value, _ call: @autoclosure () -> String, _ path: @autoclosure () -> String? = nil
) throws(SystemError) -> Value {
    if result < 0 { throw SystemError(call(), path: path(), errno: Errno(rawValue: Int32(-result))) }
    return result
}

/// Turns glibc's convention (a value, or -1 with errno) into a value or a thrown ``SystemError``.
@inlinable @discardableResult
public func checkErrno<Value: FixedWidthInteger & SignedInteger>(
    _ result: Value, _ call: @autoclosure () -> String, _ path: @autoclosure () -> String? = nil
) throws(SystemError) -> Value {
    if result < 0 {
        let reason = Errno.current
        throw SystemError(call(), path: path(), errno: reason)
    }
    return result
}
