import CLinux
import CSeccomp
import Glibc
import JSON
import Linux
import OCISpec
import TestKit
import Testing

@testable import OCIRuntime

@Suite("Calls that an agent decides on, and calls that are too new", .needs(.root, .programs, .busybox))
struct SeccompAgentTests {
    /// Answers every call with an errno until the descriptor hangs up.
    private static func refuse(_ listener: Int32, errno number: Int32) {
        var request: UnsafeMutablePointer<seccomp_notif>?
        var response: UnsafeMutablePointer<seccomp_notif_resp>?
        guard seccomp_notify_alloc(&request, &response) == 0 else { return }
        defer { seccomp_notify_free(request, response) }
        while sys_poll(listener, Int16(POLLIN), 20_000) & Int32(POLLIN) != 0 {
            guard let request, let response else { return }
            memset(request, 0, MemoryLayout<seccomp_notif>.size)
            if seccomp_notify_receive(listener, request) != 0 { continue }
            response.pointee.id = request.pointee.id
            response.pointee.val = 0
            response.pointee.error = -number
            response.pointee.flags = 0
            _ = seccomp_notify_respond(listener, response)
        }
    }

    @Test(
        "The agent gets the notify descriptor and the state, and its answer is the call's", arguments: [true, false],
        ["run", "create", "exec"])
    func handsOver(noNewPrivileges: Bool, verb: String) async throws {
        try await TestBundle.use { bundle in
            let path = bundle.scratch.file("agent.sock")
            let agent = try UnixSocket.listen(at: path, .stream)
            bundle.spec.process?.noNewPrivileges = noNewPrivileges
            let sleeper = ["/bin/sh", "-c", "mkdir /tmp/x; echo $? > /tmp/code; sleep 1000"]
            bundle.spec.process?.args = sleeper
            bundle.spec.root?.readonly = false
            bundle.spec.linux {
                $0.seccomp = LinuxSeccomp(
                    defaultAction: "SCMP_ACT_ALLOW", listenerPath: path, listenerMetadata: "about",
                    syscalls: [LinuxSyscall(names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY")])
            }
            try bundle.write()
            let copy = bundle
            async let outcomes = copy.begin(verb)
            var count = verb == "exec" ? 2 : 1
            var pid: Int64 = 0
            while count > 0 {
                let connection = try agent.accept()
                var message = try connection.receive(mostDescriptors: 1)
                let value = try JSONValue.parse(message.bytes)
                #expect(value["fds"]?[0]?.stringValue == "seccompFd")
                #expect(value["metadata"]?.stringValue == "about")
                #expect(value["state"]?["id"]?.stringValue == bundle.id)
                pid = value["pid"]?.intValue ?? 0
                #expect(pid > 0)
                guard let listener = message.takeDescriptor() else {
                    Issue.record("no descriptor came")
                    return
                }
                let number = try listener.duplicate().release()
                TestThread.start { SeccompAgentTests.refuse(number, errno: ENOMEDIUM) }
                count -= 1
            }
            for outcome in try await outcomes { #expect(outcome.code == 0, "\(outcome.errors)") }
            try await eventually("the call was answered") { File.exists(bundle.rootfs + "/tmp/code") }
            try await eventually("the code is there") { try File.readText(bundle.rootfs + "/tmp/code") == "1\n" }
            #expect(!File.exists(bundle.rootfs + "/tmp/x"))
        }
    }

    @Test("Without an agent the container doesn't start, and the reason is told")
    func needsAgent() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.linux {
                $0.seccomp = LinuxSeccomp(
                    defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/not/there",
                    syscalls: [LinuxSyscall(names: ["mkdir"], action: "SCMP_ACT_NOTIFY")])
            }
            try await bundle.expectFailure("failed to connect with seccomp agent")
            bundle.spec.linux { $0.seccomp?.listenerPath = nil }
            try await bundle.expectFailure("SCMP_ACT_NOTIFY needs a listenerPath")
            bundle.spec.linux {
                $0.seccomp?.syscalls = [LinuxSyscall(names: ["write"], action: "SCMP_ACT_NOTIFY")]
                $0.seccomp?.listenerPath = "/x"
            }
            try await bundle.expectFailure("SCMP_ACT_NOTIFY cannot be used for the write syscall")
        }
    }

    @Test("A call newer than the profile says ENOSYS, one that the profile could have named its errno")
    func tellsNewCalls() async throws {
        try await TestBundle.use { bundle in
            let source = try bundle.scratch.write(
                "calls.c",
                """
                #define _GNU_SOURCE
                #include <errno.h>
                #include <stdio.h>
                #include <sys/syscall.h>
                #include <unistd.h>
                int main(void) {
                    long old = syscall(SYS_swapoff, 0) < 0 ? errno : 0;
                    long future = syscall(5000) < 0 ? errno : 0;
                    printf("%ld %ld\\n", old, future);
                }

                """)
            try bundle.compile(source, to: "/bin/calls")
            bundle.spec.process?.args = ["/bin/calls"]
            let names = [
                "read", "write", "execve", "exit_group", "brk", "arch_prctl", "set_tid_address", "set_robust_list",
                "rseq", "prlimit64", "readlink", "getrandom", "mprotect", "fstat", "newfstatat", "uname", "capset",
                "capget", "prctl", "ioctl", "mmap", "close_range", "access",
            ]
            bundle.spec.linux {
                $0.seccomp = LinuxSeccomp(
                    defaultAction: "SCMP_ACT_ERRNO",
                    architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
                    syscalls: [LinuxSyscall(names: names, action: "SCMP_ACT_ALLOW")])
            }
            let outcome = try await bundle.run()
            #expect(outcome.output == "\(EPERM) \(ENOSYS)\n", "\(outcome)")
            bundle.spec.linux { $0.seccomp?.defaultErrnoRet = UInt32(ENETDOWN) }
            #expect(try await bundle.run().output == "\(ENETDOWN) \(ENOSYS)\n")
        }
    }
}

extension TestBundle {
    /// Starts the container by one of three ways; with "exec" a second process does the same.
    fileprivate func begin(_ verb: String) async throws -> [Command.Outcome] {
        switch verb {
        case "create": [try await oci("create", "--bundle", path, id), try await oci("start", id)]
        case "exec":
            [
                try await oci("run", "-d", "--bundle", path, id),
                try await oci("exec", id, "/bin/sh", "-c", "mkdir /tmp/y 2>/dev/null || exit 0; exit 5"),
            ]
        default: [try await oci("run", "-d", "--bundle", path, id)]
        }
    }
}
