import CLinux
import Glibc
import Linux

/// Puts a filter on the calling process, and leaves its notify descriptor to the runtime where it has one.
///
/// From the load on the filter judges this process too, and may allow it no call: how the runtime gets the descriptor is
/// agreed on before, and the rest goes through a page of shared memory (``SeccompListener`` is the other side).
struct SeccompLoad {
    private let program: SeccompProgram
    private let channel: Channel

    /// Indices into the shared page.
    enum Place {
        /// The descriptor's number plus one.
        static let number: Int32 = 0
        /// 1 once the agent has it, 2 if it can't have it.
        static let answer: Int32 = 1
    }

    init(_ program: SeccompProgram, _ channel: Channel) {
        self.program = program
        self.channel = channel
    }

    func load() throws(RuntimeError) {
        guard program.usesListener else {
            _ = try program.load()
            return
        }
        let memory = try step("linux.seccomp.listenerPath") { () throws(SystemError) in
            let memory = Descriptor(owning: try check(sys_memfd_create("seccomp", 1), "memfd_create"))
            try checkErrno(ftruncate(memory.raw, 4096), "ftruncate")
            return memory
        }
        guard let shared = sys_shared_map(memory.raw) else {
            throw RuntimeError("linux.seccomp.listenerPath: mmap failed")
        }
        try step("linux.seccomp.listenerPath") { () throws(SystemError) in
            try channel.send(.filter, descriptor: memory.raw)
        }
        try channel.waitToGoOn()
        let number = try program.load()
        sys_shared_write(shared, Place.number, number + 1)
        // A runtime that was killed meanwhile can't answer any more.
        if sys_shared_await(shared, Place.answer, 10) != 1 { _exit(1) }
    }
}
