import Glibc

/// Signals to a container that waits for its start.
enum FirstProcessSignals {
    private static let ending = [SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM]

    /// The first process of a pid namespace gets no signal that it has no handler for (pid_namespaces(7)), so `kill` would do
    /// nothing to a created container. Until execve, which takes the handlers away, it ends by what ends any other process.
    static func obey() {
        if getpid() != 1 { return }
        for number in ending {
            var now = sigaction()
            // Who started the runtime may have it ignored; so it stays.
            guard sigaction(number, nil, &now) == 0, now.__sigaction_handler.sa_handler == nil else { continue }
            signal(number) { _exit(128 + $0) }
        }
    }
}
