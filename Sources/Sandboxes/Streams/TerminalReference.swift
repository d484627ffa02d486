import CLinux
import CRI
import Glibc
import Linux

/// A terminal whose descriptor belongs to somebody else: remembered by number, and checked to be the same terminal before
/// it is touched, because the number may have been given away since.
struct TerminalReference: Sendable {
    private let descriptor: Int32
    private let device: UInt64
    private let index: Int32

    init(descriptor: Int32) {
        self.descriptor = descriptor
        (device, index) = Self.identity(descriptor) ?? (0, -1)
    }

    /// Tells the terminal its size; nothing when it is gone.
    func resize(columns: UInt16, rows: UInt16) throws(SystemError) {
        guard index >= 0, let now = Self.identity(descriptor), now == (device, index) else { return }
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        try checkErrno(ioctl(descriptor, UInt(TIOCSWINSZ), &size), "ioctl TIOCSWINSZ")
    }

    private static func identity(_ descriptor: Int32) -> (UInt64, Int32)? {
        var number: Int32 = -1
        guard ioctl(descriptor, UInt(0x8004_5430), &number) == 0,  // TIOCGPTN
            let status = try? FileStatus(at: descriptor, "", emptyPath: true)
        else { return nil }
        return (status.raw.device, number)
    }
}

extension Descriptor {
    /// A second number for an open file that somebody else owns.
    static func copy(of raw: Int32) throws(SystemError) -> Descriptor {
        Descriptor(owning: try checkErrno(fcntl(raw, F_DUPFD_CLOEXEC, 3), "dup"))
    }
}
