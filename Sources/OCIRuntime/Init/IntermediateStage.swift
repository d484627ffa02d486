import CLinux
import Glibc
import Linux

/// Between the parent and an init whose user namespace is joined: new namespaces belong to the user namespace of whoever makes
/// them, so somebody has to enter it first.
enum IntermediateStage {
    static let entry: @convention(c) (UnsafeMutableRawPointer?) -> Void = { pointer in
        guard let pointer else { _exit(127) }
        run(Unmanaged<InitContext>.fromOpaque(pointer).takeUnretainedValue(), pointer)
    }

    private static func run(_ context: InitContext, _ pointer: UnsafeMutableRawPointer) -> Never {
        do throws(RuntimeError) {
            try step("prctl PR_SET_DUMPABLE") { () throws(SystemError) in try check(sys_prctl(4, 0, 0, 0, 0), "prctl") }
            try step("join namespace") { () throws(SystemError) in
                try Namespace.user.join(context.userNamespace)
                try check(sys_setresgid(0), "setresgid")
                try check(sys_setresuid(0), "setresuid")
            }
            let cloneParent: UInt64 = 0x8000
            var pidfd: Int32 = -1
            // With CLONE_PARENT the exit signal is the caller's own.
            let pid = sys_clone3(
                context.cloneFlags | cloneParent, &pidfd, -1, 0, InitStage.entry, pointer)
            if pid < 0 {
                throw RuntimeError("create namespaces", SystemError("clone3", errno: Errno(rawValue: Int32(-pid))))
            }
            // The number is one of the pid namespace that was joined: the runtime has its own for the same process.
            try step("tell the runtime") { () throws(SystemError) in
                try context.channel.send(.process, descriptor: pidfd)
            }
        } catch {
            context.channel.giveUp(error)
        }
        _exit(0)
    }
}
