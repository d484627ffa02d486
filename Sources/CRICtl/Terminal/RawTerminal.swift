import Dispatch
import Glibc
import Streaming

/// A terminal that passes every key on, until it is restored.
final class RawTerminal: Sendable {
    private let descriptor: Int32
    private let saved: termios
    // Dispatch's sources may be used from any thread; only their protocols don't say so.
    private nonisolated(unsafe) let signals: [any DispatchSourceSignal]

    /// The terminal's size now, and after every change.
    let sizes: AsyncStream<RemoteCommand.TerminalSize>

    /// - Throws: ``Failure`` when the descriptor is no terminal.
    init(_ descriptor: Int32) throws {
        self.descriptor = descriptor
        var saved = termios()
        guard tcgetattr(descriptor, &saved) == 0 else { throw Failure("input is not a terminal; leave -t away") }
        let (sizes, size) = AsyncStream.makeStream(
            of: RemoteCommand.TerminalSize.self, bufferingPolicy: .bufferingNewest(1))
        self.sizes = sizes
        self.saved = saved
        let report: @Sendable () -> Void = { if let now = Self.size(descriptor) { size.yield(now) } }
        report()
        var raw = saved
        cfmakeraw(&raw)
        tcsetattr(descriptor, TCSADRAIN, &raw)
        let original = saved
        signals =
            [Self.on(SIGWINCH, report)]
            + [SIGTERM, SIGHUP].map { number in
                // Whoever ends the program must not be left with a terminal that shows nothing.
                Self.on(number) {
                    var original = original
                    tcsetattr(descriptor, TCSANOW, &original)
                    exit(128 + number)
                }
            }
    }

    /// Gives the terminal back as it was.
    func restore() {
        for signal in signals { signal.cancel() }
        var saved = saved
        tcsetattr(descriptor, TCSADRAIN, &saved)
    }

    private static func size(_ descriptor: Int32) -> RemoteCommand.TerminalSize? {
        var window = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0 else { return nil }
        return RemoteCommand.TerminalSize(columns: window.ws_col, rows: window.ws_row)
    }

    private static func on(
        _ number: Int32, _ body: @escaping @Sendable () -> Void
    ) -> any DispatchSourceSignal {
        if number != SIGWINCH { signal(number, SIG_IGN) }
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler(handler: body)
        source.activate()
        return source
    }
}
