import CLinux
import Glibc
import Linux

/// Carries bytes between this process's own terminal and the container's, for `run` and `exec` in the foreground.
final class TerminalProxy {
    private let socket: UnixSocket
    private var master: Descriptor?
    private var saved = [UInt8](repeating: 0, count: 64)
    private var isRaw = false
    /// The person's terminal, or -1: a standard stream, else the controlling one where all three are redirected.
    private let outside: Int32
    private let ownsOutside: Bool

    init(_ socket: consuming UnixSocket) {
        self.socket = socket
        if let stream = (Int32(0)...2).first(where: { sys_is_terminal($0) == 1 }) {
            (outside, ownsOutside) = (stream, false)
        } else if let controlling = try? File.open("/dev/tty", O_RDWR | O_NOCTTY) {
            (outside, ownsOutside) = (controlling.release(), true)
        } else {
            (outside, ownsOutside) = (-1, false)
        }
    }

    deinit {
        restore()
        if ownsOutside { close(outside) }
    }

    /// Takes the master that the init has sent, and makes the own terminal raw.
    func open() throws(RuntimeError) {
        var message = try step("terminal") { () throws(SystemError) in
            try socket.receive(limit: 64, mostDescriptors: 1, nonBlocking: true)
        }
        guard let descriptor = message.takeDescriptor() else { throw RuntimeError("terminal: none came") }
        try step("terminal") { () throws(SystemError) in try descriptor.setNonBlocking(true) }
        resize(descriptor.raw)
        master = consume descriptor
        if outside >= 0, sys_make_raw(outside, &saved, saved.count) == 0 { isRaw = true }
    }

    /// -1 before ``open()`` and after the end.
    var number: Int32 {
        switch master {
        case .some(let master): master.raw
        case .none: -1
        }
    }

    func resize() { resize(number) }

    private func resize(_ number: Int32) {
        var (rows, columns): (UInt16, UInt16) = (0, 0)
        if number >= 0, outside >= 0, sys_window_size(outside, &rows, &columns) == 0 {
            sys_set_window_size(number, rows, columns)
        }
    }

    /// What the person typed. False when there will be no more.
    func carryIn() -> Bool { carry(from: 0, to: number) }

    /// What the container wrote. False when there will be no more.
    func carryOut() -> Bool { carry(from: number, to: 1) }

    private func carry(from: Int32, to: Int32) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 1) { room in
            let count = read(from, room.baseAddress, room.count)
            if count < 0 { return errno == EAGAIN || errno == EINTR }
            if count == 0 { return false }
            var done = 0
            while done < count {
                let written = Glibc.write(to, room.baseAddress?.advanced(by: done), count - done)
                if written > 0 {
                    done += written
                } else if errno == EAGAIN {
                    if sys_poll(to, Int16(POLLOUT), -1) < 0 { return false }
                } else if errno != EINTR {
                    return false
                }
            }
            return true
        }
    }

    func restore() {
        if isRaw { sys_restore_terminal(outside, saved) }
        isRaw = false
    }
}
