import Glibc

/// Asks for a secret without showing it.
enum Password {
    static func ask() throws -> String {
        warn("Enter Password:")
        var saved = termios()
        let terminal = tcgetattr(STDIN_FILENO, &saved) == 0
        if terminal {
            var hidden = saved
            hidden.c_lflag &= ~tcflag_t(ECHO)
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden)
        }
        defer { if terminal { tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved) } }
        guard let line = readLine() else { throw Failure("no password was given") }
        return line
    }
}
