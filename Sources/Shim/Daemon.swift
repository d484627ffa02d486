import CLinux
import Glibc
import Linux
import ShimProtocol

/// How the shim comes to live on its own.
enum Daemon {
    /// PR_SET_CHILD_SUBREAPER of prctl(2).
    private static let becomeSubreaper: Int32 = 36
    private static let ready = UInt8(ascii: "+")

    /// Makes what was asked for, listens, and leaves a process behind that serves. Returns in the process that was started,
    /// once the other one serves; nothing is left when it throws.
    static func start(_ options: ShimOptions) throws(ShimFailure) {
        // Nothing of whoever started us may reach a container.
        sys_close_range(3, .max, 0)
        umask(0o022)
        let directory = try PrivateDirectory(options.directory)
        if let user = options.userNamespace {
            try user.make(network: options.networkNamespace)
        } else if let path = options.networkNamespace {
            try NetworkNamespace.make(at: path)
        }
        do throws(ShimFailure) {
            let listener = try directory.listen()
            try leave(options, directory, listener)
        } catch {
            for path in [options.networkNamespace, options.userNamespace?.path] {
                if let path { NetworkNamespace.remove(path) }
            }
            throw error
        }
    }

    private static func leave(
        _ options: ShimOptions, _ directory: consuming PrivateDirectory, _ listener: consuming UnixSocket
    ) throws(ShimFailure) {
        let output: Descriptor
        let input: Descriptor
        do throws(SystemError) {
            var pipe = try Pipe()
            output = Descriptor(owning: pipe.takeReading())
            input = Descriptor(owning: pipe.takeWriting())
        } catch {
            directory.clear()
            throw ShimFailure(.system, error.description)
        }
        // Twice, so that the shim is nobody's child and can never get a terminal.
        let pid = sys_fork()
        if pid == 0 {
            setsid()
            let second = sys_fork()
            if second != 0 { _exit(second > 0 ? 0 : 1) }
            serve(options, directory, listener, input)
        }
        _ = consume input
        let answer = (try? output.readAll(limit: 4096)) ?? []
        if pid > 0 { _ = try? ExitStatus.reap(pid) }
        guard answer.last == ready else {
            directory.clear()
            let why = pid < 0 ? "fork: \(Errno(rawValue: -pid))" : String(decoding: answer, as: UTF8.self)
            throw ShimFailure(.system, why.isEmpty ? "the shim ended before it could serve" : why)
        }
    }

    private static func serve(
        _ options: ShimOptions, _ directory: consuming PrivateDirectory, _ listener: consuming UnixSocket,
        _ starter: consuming Descriptor
    ) -> Never {
        var starter: Descriptor? = starter
        do throws(SystemError) {
            try settle()
            let pidFile = directory.path + "/" + PrivateDirectory.pidName
            try AtomicFile.write(pidFile, "\(getpid())\n")
            let server = try ShimServer(options: options, directory: directory, listener: listener)
            try starter?.writeAll([ready])
            starter = nil
            try server.run()
        } catch {
            // Before the first answer somebody listens; later nobody does, and the agent sees the shim gone.
            try? starter?.writeAll(error.description)
            _exit(1)
        }
        _exit(0)
    }

    private static func settle() throws(SystemError) {
        try checkErrno(chdir("/"), "chdir", "/")
        let null = try File.open("/dev/null", O_RDWR)
        for stream: Int32 in 0...2 { try checkErrno(dup2(null.raw, stream), "dup2", "/dev/null") }
        // Orphans of the containers come to us.
        try check(sys_prctl(becomeSubreaper, 1, 0, 0, 0), "prctl PR_SET_CHILD_SUBREAPER")
        // A shim ends when it is told to over its socket; a terminal or a broken pipe is no reason.
        for number in [SIGPIPE, SIGHUP, SIGINT, SIGTERM] { signal(number, SIG_IGN) }
        // Where lowering is not allowed (EACCES) the value stays as it is.
        try? File.writeExisting("/proc/self/oom_score_adj", "-998")
    }
}
