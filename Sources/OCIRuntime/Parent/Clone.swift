import CLinux
import Glibc
import Linux

/// clone3, in the right namespaces.
enum Clone {
    /// - Parameter cgroup: a v2 cgroup in which the init begins, or -1.
    static func start(
        _ context: InitContext, joins: inout NamespaceJoins, ends: consuming ChannelEnds, cgroup: Int32
    ) throws(RuntimeError) -> InitProcess {
        try SingleThread.require()
        let joinedUser = joins.user
        let pointer = Unmanaged.passUnretained(context).toOpaque()
        var pidfd: Int32 = -1
        let entry = joinedUser == nil ? InitStage.entry : IntermediateStage.entry
        let flags = joinedUser == nil ? context.cloneFlags : 0
        context.userNamespace = joinedUser ?? -1
        let pid = try joins.inside { () throws(RuntimeError) -> pid_t in
            let result = sys_clone3(flags, &pidfd, cgroup, SIGCHLD, entry, pointer)
            if result < 0 {
                throw RuntimeError("create namespaces", SystemError("clone3", errno: Errno(rawValue: Int32(-result))))
            }
            return pid_t(result)
        }
        withExtendedLifetime(context) {}
        let parent = ends.keepParent()
        let cloned = Pidfd(Descriptor(owning: pidfd))
        if joinedUser == nil { return InitProcess(pid: pid, pidfd: cloned, end: parent) }
        return try awaitInit(cloned, parent)
    }

    /// The intermediate hands the init's descriptor over and ends; the init is this process's child (CLONE_PARENT).
    private static func awaitInit(
        _ intermediate: consuming Pidfd, _ parent: consuming Descriptor
    ) throws(RuntimeError) -> InitProcess {
        let channel = Channel(number: parent.raw)
        var passenger: Int32 = -1
        let message = try step("wait for the intermediate stage") { () throws(SystemError) in
            try channel.receive(passenger: &passenger)
        }
        _ = try? intermediate.wait()
        if let message, message.message == .failed { throw RuntimeError(String(decoding: message.body, as: UTF8.self)) }
        guard let message, message.message == .process, passenger >= 0 else {
            throw RuntimeError("the intermediate stage ended without a word")
        }
        let pidfd = Pidfd(Descriptor(owning: passenger))
        let pid = try step("look at the init") { () throws(SystemError) in try pidfd.number() }
        return InitProcess(pid: pid, pidfd: pidfd, end: parent)
    }
}

extension NamespacePlan {
    /// For clone3: a cgroup namespace can be made only once the process is in its cgroup, and a time namespace begins with the
    /// next child.
    var cloneFlags: UInt64 {
        created.reduce(0) { $1 == .cgroup || $1 == .time ? $0 : $0 | $1.rawValue }
    }
}
