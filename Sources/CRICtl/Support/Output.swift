import Glibc

/// Where a command's words go: the process's own output, or a test's ear.
struct Output: Sendable {
    var write: @Sendable ([UInt8]) -> Void
    var writeError: @Sendable ([UInt8]) -> Void
    /// Whether a person is looking: colours, clearing the screen and progress only then.
    var isTerminal: Bool

    @TaskLocal static var current = Output(
        write: { writeAll(STDOUT_FILENO, $0) }, writeError: { writeAll(STDERR_FILENO, $0) },
        isTerminal: isatty(STDOUT_FILENO) == 1)

    /// Blocking; a reader that has gone ends the program, as SIGPIPE would.
    static func writeAll(_ descriptor: Int32, _ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                if errno == EAGAIN {
                    var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&wait, 1, -1)
                    continue
                }
                if errno == EPIPE { exit(141) }
                return
            }
            rest = rest.dropFirst(count)
        }
    }
}

/// Prints a line.
func say(_ line: String) { Output.current.write(Array((line + "\n").utf8)) }

/// Prints text that brings its own line ends.
func show(_ text: String) { Output.current.write(Array(text.utf8)) }

/// A line for people beside the output.
func warn(_ line: String) { Output.current.writeError(Array((line + "\n").utf8)) }
