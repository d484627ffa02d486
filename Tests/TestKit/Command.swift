import FoundationEssentials
import Glibc

/// A program that a test runs to its end.
public struct Command: Sendable {
    /// What came of it.
    public struct Outcome: Sendable {
        /// The exit code, or 128 + the signal that ended it.
        public let code: Int32
        public let output: String
        public let errors: String
    }

    public let arguments: [String]
    public let environment: [String: String]

    /// - Parameter arguments: the program's path (or a name to look up in PATH) and its arguments
    public init(_ arguments: [String], environment: [String: String] = [:]) {
        self.arguments = arguments
        self.environment = environment
    }

    /// Starts it without waiting; the streams are files that the caller opened.
    public func start(input: Int32? = nil, output: Int32, errors: Int32) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The test runner may ignore or block signals: the program starts with a clean slate.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var usual = sigset_t()
        sigemptyset(&usual)
        for signal in [SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD] { sigaddset(&usual, signal) }
        posix_spawnattr_setsigdefault(&attributes, &usual)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var merged = ProcessInfo.processInfo.environment
        merged.merge(environment) { $1 }
        let argv = arguments.map { strdup($0) } + [nil]
        let envp = merged.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (argv + envp).forEach { free($0) } }
        var pid: pid_t = 0
        let failed = posix_spawnp(&pid, arguments[0], &actions, &attributes, argv, envp)
        guard failed == 0 else {
            errno = failed
            throw POSIXFailure("spawn", arguments[0])
        }
        return pid
    }

    /// Runs it to its end, off the cooperative threads.
    @discardableResult
    public func run(input: String = "") async throws -> Outcome {
        try await withCheckedThrowingContinuation { continuation in
            Background.run { continuation.resume(with: Result { try runBlocking(input: input) }) }
        }
    }

    /// Runs it to its end on this thread.
    @discardableResult
    public func runBlocking(input: String = "") throws -> Outcome {
        // Files, not pipes: a grandchild that keeps the stream open can't hold the test up.
        let (stdin, stdout, stderr) = (try Self.temporary(), try Self.temporary(), try Self.temporary())
        defer { [stdin, stdout, stderr].forEach { close($0) } }
        if !input.isEmpty {
            _ = input.withCString { write(stdin, $0, strlen($0)) }
            lseek(stdin, 0, SEEK_SET)
        }
        let pid = try start(input: stdin, output: stdout, errors: stderr)
        return Outcome(code: Self.wait(for: pid), output: Self.contents(stdout), errors: Self.contents(stderr))
    }

    /// Reaps a process that this test started: its exit code, or 128 + signal.
    public static func wait(for pid: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
    }

    private static func temporary() throws -> Int32 {
        var template = Array("/tmp/kubesim-test-stream-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw POSIXFailure("mkstemp", "/tmp") }
        unlink(template)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return descriptor
    }

    private static func contents(_ descriptor: Int32) -> String {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        var offset: off_t = 0
        while true {
            let count = pread(descriptor, &buffer, buffer.count, offset)
            guard count > 0 else { break }
            all += buffer[..<count]
            offset += off_t(count)
        }
        return String(decoding: all, as: UTF8.self)
    }
}

/// A thread for work that blocks.
public enum Background {
    private final class Work {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    public static func run(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let work = Unmanaged.passRetained(Work(body)).toOpaque()
        pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, work)
        pthread_detach(thread)
    }
}
