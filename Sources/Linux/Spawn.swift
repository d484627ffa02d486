import CLinux
import Glibc

/// Starts programs. Safe from a process with threads, and cheap: the child shares memory until execve (CLONE_VFORK).
public struct Spawn: Sendable {
    /// The program's path; no search in PATH.
    public var path: String
    /// With the program's own name first.
    public var arguments: [String]
    /// "NAME=value"; nil passes this process's environment on.
    public var environment: [String]?
    /// Where it starts; nil stays here.
    public var directory: String?
    /// `descriptors[i]` becomes descriptor i in the program; -1 leaves i closed. Every other is closed. At most 64.
    public var descriptors: [Int32] = [0, 1, 2]
    /// setsid(2).
    public var newSession = false
    /// The program's descriptor that becomes its controlling terminal (needs `newSession`).
    public var controllingTerminal: Int32?
    /// Signal for the child when the thread that started it ends (prctl(2) PR_SET_PDEATHSIG).
    public var deathSignal: Int32 = 0

    public init(_ path: String, _ arguments: [String], environment: [String]? = nil) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
    }

    /// A started program.
    public struct Child: ~Copyable, Sendable {
        public let pid: pid_t
        public let pidfd: Pidfd
    }

    /// - Throws: the failure of whichever step, execve's too: when this returns, the program has started.
    public func start() throws(SystemError) -> Child {
        let argv = CStrings(arguments)
        let envp = environment.map { CStrings($0) }
        let chdir = directory.map { CStrings([$0]) }
        let program = CStrings([path])
        var fd: Int32 = -1
        let pid = descriptors.withUnsafeBufferPointer { numbers in
            var request = sys_spawn_request()
            request.path = UnsafePointer(program.pointers[0])
            request.argv = argv.argument
            request.envp = envp.map { $0.argument } ?? UnsafePointer(environ)
            request.directory = chdir.flatMap { UnsafePointer($0.pointers[0]) }
            request.descriptors = numbers.baseAddress
            request.descriptor_count = numbers.count
            request.new_session = newSession ? 1 : 0
            request.controlling_tty = controllingTerminal ?? -1
            request.death_signal = deathSignal
            return sys_spawn(&request, &fd)
        }
        try check(pid, "start", path)
        return Child(pid: pid, pidfd: Pidfd(Descriptor(owning: fd)))
    }
}

/// A NULL-terminated array of C strings that lives as long as this value: argv, envp.
public final class CStrings {
    public let pointers: UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>

    public init(_ strings: [String]) {
        pointers = .allocate(capacity: strings.count + 1)
        for (index, string) in strings.enumerated() { pointers.initializeElement(at: index, to: strdup(string)) }
        pointers.initializeElement(at: strings.count, to: nil)
    }

    deinit {
        for pointer in pointers { free(pointer) }
        pointers.deallocate()
    }

    /// What execve(2) takes.
    public var argument: UnsafePointer<UnsafeMutablePointer<CChar>?>? { UnsafePointer(pointers.baseAddress) }
}
