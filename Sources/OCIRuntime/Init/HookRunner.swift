import CLinux
import Glibc
import JSON
import Linux
import OCISpec

/// Runs hooks one after the other, with the container's state on standard input.
enum HookRunner {
    /// - Parameter environment: of the hooks that name none.
    /// - Throws: at the first hook that fails, is killed or takes longer than its timeout.
    static func run(
        _ hooks: [Hook], _ point: String, _ state: @autoclosure () -> State, environment: [String] = []
    ) throws(RuntimeError) {
        if hooks.isEmpty { return }
        let text = state().encoded()
        for (index, hook) in hooks.enumerated() {
            do throws(RuntimeError) {
                try run(hook, text, environment)
            } catch {
                throw RuntimeError("error running \(point) hook #\(index): \(error)")
            }
        }
    }

    private static func run(_ hook: Hook, _ state: [UInt8], _ environment: [String]) throws(RuntimeError) {
        if hook.path.utf8.first != UInt8(ascii: "/") { throw RuntimeError("\(hook.path): the path is not absolute") }
        let input = try memory("state")
        try step(hook.path) { () throws(SystemError) in
            try input.writeAll(state)
            try checkErrno(lseek(input.raw, 0, SEEK_SET), "lseek")
        }
        let output = try memory("output")
        var spawn = Spawn(
            hook.path, hook.args.isEmpty ? [hook.path] : hook.args,
            environment: hook.env.isEmpty ? environment : hook.env)
        spawn.descriptors = [input.raw, output.raw, output.raw]
        let child = try step(hook.path) { () throws(SystemError) in try spawn.start() }
        let limit = hook.timeout.map { Int32(clamping: $0 * 1000) } ?? -1
        let ended = try step(hook.path) { () throws(SystemError) in try child.pidfd.ended(withinMilliseconds: limit) }
        if !ended {
            try? child.pidfd.signal(SIGKILL)  // it may have ended by itself meanwhile
            _ = try? child.pidfd.wait()
            throw RuntimeError("\(hook.path): timed out after \(hook.timeout ?? 0) s")
        }
        let status = try step(hook.path) { () throws(SystemError) in try child.pidfd.wait() }
        switch status {
        case .exited(code: 0), nil: return
        case .exited(let code): throw RuntimeError("\(hook.path): exit status \(code)\(said(output))")
        case .signalled(let signal): throw RuntimeError("\(hook.path): signal: \(name(signal))\(said(output))")
        }
    }

    /// What strsignal(3) says, as Go's errors have it.
    private static func name(_ signal: Int32) -> String {
        strsignal(signal).map { String(cString: $0).lowercased() } ?? String(signal)
    }

    /// A file in memory: a hook that doesn't read, or writes much, holds nobody up.
    private static func memory(_ name: String) throws(RuntimeError) -> Descriptor {
        try step("hook") { () throws(SystemError) in
            Descriptor(owning: try check(sys_memfd_create(name, 1), "memfd_create"))
        }
    }

    /// The first 512 bytes of what the hook wrote, in one line.
    private static func said(_ output: borrowing Descriptor) -> String {
        var buffer = [UInt8](repeating: 0, count: 512)
        let count = pread(output.raw, &buffer, buffer.count, 0)
        if count <= 0 { return "" }
        let text = String(decoding: buffer[..<count], as: UTF8.self)
        return ", output: " + text.split(separator: "\n").joined(separator: "; ")
    }
}

extension LaunchPlan {
    enum HookStatus: String { case creating, created, running, stopped }

    func hookState(_ status: HookStatus, pid: pid_t) -> State {
        State(
            ociVersion: Spec.version, id: id, status: status.rawValue, pid: Int(pid), bundle: bundle,
            annotations: annotations)
    }
}
