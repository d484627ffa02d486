import CLinux
import CRI
import Glibc
import JSON
import Linux

/// The OCI runtime as a program, for what no shim has to do with, and for the moments when there is none. Blocking.
struct RuntimeCommand: Sendable {
    let path: String
    let root: String

    /// Forgets a container whose shim has died: kills what is left and removes its state and cgroup. At most 30 s.
    ///
    /// A container that the runtime doesn't know is success.
    func delete(_ id: String) throws {
        guard File.exists("\(root)/\(id)") else { return }
        _ = try run(["delete", "--force", id], milliseconds: 30_000)
    }

    /// What the runtime can do; at most 5 s.
    func features() throws -> JSONValue {
        try JSONValue.parse(try run(["features"], milliseconds: 5000))
    }

    /// Changes a container's limits through the runtime, which tells whoever else has to know (systemd).
    func update(_ id: String, resources: [UInt8], milliseconds: Int32) throws {
        let file = try memory("resources")
        try resources.withUnsafeBytes { try file.writeAll($0) }
        try checkErrno(Int32(truncatingIfNeeded: lseek(file.raw, 0, SEEK_SET)), "seek")
        _ = try run(["update", "--resources", "-", id], input: file.raw, milliseconds: milliseconds)
    }

    /// Writes a running container's processes to image files; the container goes on.
    func checkpoint(_ id: String, images: String, work: String, milliseconds: Int32) throws {
        _ = try run(
            ["checkpoint", "--leave-running", "--image-path", images, "--work-path", work, id],
            milliseconds: milliseconds)
    }

    /// Runs a verb to its end and returns what it wrote to its standard output, at most 1 MiB.
    ///
    /// - Throws: `.deadlineExceeded` when it took too long and was killed, else with the runtime's own last words
    private func run(_ arguments: [String], input: Int32 = -1, milliseconds: Int32) throws -> [UInt8] {
        let quiet = try File.open("/dev/null", O_RDWR)
        // In memory, so that nobody has to read along.
        let output = try memory("output")
        let errors = try memory("errors")
        var spawn = Spawn(
            path, [path, "--root", root] + arguments,
            environment: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"])
        spawn.descriptors = [input < 0 ? quiet.raw : input, output.raw, errors.raw]
        spawn.newSession = true
        let child = try spawn.start()
        let verb = arguments.first ?? ""
        let late = try child.pidfd.ended(withinMilliseconds: milliseconds) == false
        if late { kill(-child.pid, SIGKILL) }
        let status = try child.pidfd.wait()
        if late {
            throw CRIError(.deadlineExceeded, "\(path) \(verb): not done within \(milliseconds) ms, killed")
        }
        guard status == .exited(code: 0) else {
            let said = String(decoding: try Self.contents(errors, limit: 16 << 10), as: UTF8.self)
            let last = said.split(separator: "\n").last.map(String.init) ?? "exit code \(status?.shellCode ?? -1)"
            throw CRIError(.unknown, "\(path) \(verb): \(last)")
        }
        return try Self.contents(output, limit: 1 << 20)
    }

    private func memory(_ name: String) throws -> Descriptor {
        Descriptor(owning: try check(sys_memfd_create(name, 1), "memfd_create"))
    }

    private static func contents(_ file: borrowing Descriptor, limit: Int) throws -> [UInt8] {
        try checkErrno(Int32(truncatingIfNeeded: lseek(file.raw, 0, SEEK_SET)), "seek")
        return try file.readAll(limit: limit)
    }
}
