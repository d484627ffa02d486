import CRI
import Glibc

/// Signals by name or number, as images and the CRI write them.
enum StopSignal {
    private static let numbers: [String: Int32] = [
        "ABRT": SIGABRT, "ALRM": SIGALRM, "BUS": SIGBUS, "CHLD": SIGCHLD, "CLD": SIGCHLD, "CONT": SIGCONT,
        "FPE": SIGFPE, "HUP": SIGHUP, "ILL": SIGILL, "INT": SIGINT, "IO": SIGIO, "IOT": SIGIOT, "KILL": SIGKILL,
        "PIPE": SIGPIPE, "POLL": SIGPOLL, "PROF": SIGPROF, "PWR": SIGPWR, "QUIT": SIGQUIT, "SEGV": SIGSEGV,
        "STKFLT": SIGSTKFLT, "STOP": SIGSTOP, "SYS": SIGSYS, "TERM": SIGTERM, "TRAP": SIGTRAP, "TSTP": SIGTSTP,
        "TTIN": SIGTTIN, "TTOU": SIGTTOU, "URG": SIGURG, "USR1": SIGUSR1, "USR2": SIGUSR2, "VTALRM": SIGVTALRM,
        "WINCH": SIGWINCH, "XCPU": SIGXCPU, "XFSZ": SIGXFSZ,
    ]

    /// `SIGTERM`, `TERM`, `15`, `SIGRTMIN+3`; nil for what is no signal.
    static func number(_ text: String) -> Int32? {
        if let number = Int32(text) { return (1...64).contains(number) ? number : nil }
        var name = text.uppercased()
        if name.hasPrefix("SIG") { name.removeFirst(3) }
        if let known = numbers[name] { return known }
        // Real-time signals: glibc keeps 32 and 33 for itself.
        if name == "RTMIN" { return 34 }
        if name == "RTMAX" { return 64 }
        if name.hasPrefix("RTMIN+"), let offset = Int32(name.dropFirst(6)), (0...30).contains(offset) {
            return 34 + offset
        }
        if name.hasPrefix("RTMAX-"), let offset = Int32(name.dropFirst(6)), (0...30).contains(offset) {
            return 64 - offset
        }
        return nil
    }

    /// The CRI's word for a signal number, as ContainerStatus reports it.
    static func criSignal(_ number: Int32) -> CRISignal {
        if number >= 34, number <= 64 {
            // SIGRTMIN is 35 in the CRI's list, which counts up to SIGRTMAX = 65 without a gap.
            return CRISignal(rawValue: Int(number) + 1) ?? .sigterm
        }
        let name = numbers.first { $0.value == number && !["CLD", "IOT", "POLL"].contains($0.key) }?.key ?? "TERM"
        return byName["sig" + name.lowercased()] ?? .sigterm
    }

    /// The number of the CRI's word; nil for RUNTIME_DEFAULT, which leaves it to the image, and for a word that is none.
    static func number(_ signal: CRISignal) -> Int32? {
        if signal == .runtimeDefault { return nil }
        if case .UNRECOGNIZED = signal { return nil }
        if signal.rawValue >= 35 { return Int32(signal.rawValue - 1) }
        return number(String(describing: signal).uppercased())
    }

    private static let byName: [String: CRISignal] = Dictionary(
        CRISignal.allCases.map { (String(describing: $0), $0) }, uniquingKeysWith: { first, _ in first })

    /// The config's signal, else the image's, else SIGTERM. What the image writes and isn't a signal counts as nothing.
    static func choose(config: CRISignal, image: String) -> Int32 {
        number(config) ?? number(image) ?? SIGTERM
    }
}
