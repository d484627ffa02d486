import Glibc
import ShimProtocol

/// The master side of an exec's terminal. Closes when the last reference goes, which hangs up the process behind it.
public final class PseudoTerminal: Sendable {
    /// The descriptor, non-blocking and close-on-exec; it belongs to this object: duplicate it to keep it longer.
    public let descriptor: Int32

    init(owning descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        _ = close(descriptor)
    }

    /// Tells the terminal its size; the process in front gets SIGWINCH (ioctl_tty(2), `TIOCSWINSZ`).
    public func resize(_ size: TerminalSize) throws(ShimFailure) {
        var window = winsize(ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0)
        guard ioctl(descriptor, UInt(TIOCSWINSZ), &window) == 0 else {
            throw ShimFailure(.system, "resize of a terminal: \(String(cString: strerror(errno)))")
        }
    }
}
