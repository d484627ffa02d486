import CLinux
import Glibc
import Linux

/// Waits for a process in the foreground: signals go to it, its terminal comes here, its end is ours.
final class Foreground {
    private let signals: SignalDescriptor
    private let epoll: Epoll

    private enum Token: UInt64 { case process, signal, input, output, notify }

    /// Takes the signals; to be made before the process, so that none is lost.
    init() throws(RuntimeError) {
        var numbers: [Int32] = []
        for number in Int32(1)...31
        where ![SIGKILL, SIGSTOP, SIGCHLD, SIGSEGV, SIGBUS, SIGILL, SIGFPE].contains(number) {
            numbers.append(number)
        }
        // A writer's mistake is told by its errno.
        signals = try step("signals") { () throws(SystemError) in try SignalDescriptor(numbers) }
        epoll = try step("signals") { () throws(SystemError) in try Epoll() }
    }

    /// - Returns: the code to exit with: the process's own, or 128 + its signal.
    /// - Parameter notify: what the container says to the service manager.
    func wait(
        _ pidfd: borrowing Pidfd, _ terminal: TerminalProxy?, _ notify: NotifySocket? = nil
    ) throws(RuntimeError) -> Int32 {
        do throws(SystemError) {
            try epoll.add(pidfd.descriptor.raw, .readable, token: Token.process.rawValue)
            try epoll.add(signals.descriptor.raw, .readable, token: Token.signal.rawValue)
            if let notify { try epoll.add(notify.number, .readable, token: Token.notify.rawValue) }
            if let terminal {
                try epoll.add(terminal.number, .readable, token: Token.output.rawValue)
                // A regular file can't be polled, and needs not be.
                try? epoll.add(0, .readable, token: Token.input.rawValue)
            }
            while true {
                for event in try epoll.wait() {
                    switch Token(rawValue: event.token) {
                    case .signal: try forward(to: pidfd, terminal)
                    case .input:
                        if let terminal, !terminal.carryIn() { try epoll.remove(0) }
                    case .output:
                        if let terminal, !terminal.carryOut() { try epoll.remove(terminal.number) }
                    // The manager watches this process, which is there as long as the container.
                    case .notify: try notify?.forward(mainPID: getpid())
                    case .process, nil:
                        // What it wrote last is still in the terminal.
                        if let terminal { drain(terminal) }
                        return try pidfd.wait()?.shellCode ?? 255
                    }
                }
            }
        } catch {
            throw RuntimeError("wait for the container's process", error)
        }
    }

    private func drain(_ terminal: TerminalProxy) {
        while sys_poll(terminal.number, Int16(POLLIN), 0) & Int32(POLLIN) != 0, terminal.carryOut() {}
        terminal.restore()
    }

    private func forward(to pidfd: borrowing Pidfd, _ terminal: TerminalProxy?) throws(SystemError) {
        while let signal = try signals.next() {
            switch signal.number {
            case SIGWINCH where terminal != nil: terminal?.resize()
            case SIGPIPE, SIGURG: break
            default: try? pidfd.signal(signal.number)  // it may just have ended
            }
        }
    }
}
