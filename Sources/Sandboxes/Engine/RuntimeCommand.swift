import CRI
import Linux

/// The OCI runtime as a program, for the few moments when there is no shim to drive it.
struct RuntimeCommand: Sendable {
    let path: String
    let root: String

    /// Forgets a container whose shim has died: kills what is left and removes its state and cgroup. Blocking; at most 30 s.
    ///
    /// A container that the runtime doesn't know is success.
    func delete(_ id: String) throws {
        guard File.exists("\(root)/\(id)") else { return }
        let quiet = try File.open("/dev/null", 2)
        var spawn = Spawn(path, [path, "--root", root, "delete", "--force", id])
        spawn.descriptors = [quiet.raw, quiet.raw, quiet.raw]
        let child = try spawn.start()
        if try child.pidfd.ended(withinMilliseconds: 30_000) == false {
            try child.pidfd.signal(9)
        }
        let status = try child.pidfd.wait()
        guard status == .exited(code: 0) else {
            throw CRIError(.unknown, "\(path) delete --force \(id): exit code \(status?.shellCode ?? -1)")
        }
    }
}
