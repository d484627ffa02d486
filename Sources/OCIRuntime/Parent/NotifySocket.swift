import CLinux
import Glibc
import Linux
import OCISpec

/// The container's sd_notify(3) socket: what it says is ready is told to the host's service manager, nothing else.
///
/// The container sees a folder of the state directory, read-only, at /run/notify; the socket in it is made by whoever starts
/// the program.
final class NotifySocket {
    static let folder = "notify"
    private static let name = "notify.sock"

    private let socket: Descriptor
    private let host: String
    private var isReady = false

    /// The folder, with nothing in it yet, and what the container needs to find it.
    static func prepare(_ directory: StateDirectory, _ spec: inout Spec) throws(RuntimeError) {
        try step("NOTIFY_SOCKET") { () throws(SystemError) in
            try Directory.make(folder, mode: 0o755, at: directory.descriptor.raw)
        }
        spec.mounts.append(
            OCISpec.Mount(
                destination: "/run/\(folder)", source: directory.path + "/" + folder,
                options: ["bind", "nosuid", "noexec", "nodev", "ro"]))
        spec.process?.env.append("NOTIFY_SOCKET=/run/\(folder)/\(name)")
    }

    /// Begins to listen; nil when there is no service manager, or the container was created without one.
    static func listen(_ directory: StateDirectory, host: String?) throws(RuntimeError) -> NotifySocket? {
        guard let host, File.exists(folder, at: directory.descriptor.raw) else { return nil }
        let socket = try step("NOTIFY_SOCKET") { () throws(SystemError) in
            let socket = try UnixSocket(.datagram)
            let place = try File.open(folder, OpenFlag.path | O_DIRECTORY, at: directory.descriptor.raw)
            let path = "/proc/self/fd/\(place.raw)/\(name)"
            try File.remove(name, at: place.raw)
            try check(sys_unix_bind(socket.descriptor.raw, path), "bind", directory.path + "/\(folder)/\(name)")
            // Whoever the program runs as may speak; only what lies in the container reaches the folder.
            try check(sys_fchmodat(place.raw, name, 0o777), "chmod", name)
            let owned = try socket.descriptor.duplicate()
            try owned.setNonBlocking(true)
            return owned
        }
        return NotifySocket(socket, host)
    }

    private init(_ socket: consuming Descriptor, _ host: String) {
        self.socket = socket
        self.host = host
    }

    /// For epoll(7); readable when the container has said something.
    var number: Int32 { socket.raw }

    /// Waits until the container is ready or has ended.
    func waitUntilReady(_ process: borrowing Pidfd, mainPID: pid_t) throws(RuntimeError) {
        do throws(SystemError) {
            let epoll = try Epoll()
            try epoll.add(number, .readable, token: 0)
            try epoll.add(process.descriptor.raw, .readable, token: 1)
            while !isReady {
                for event in try epoll.wait() {
                    if event.token == 1 { return }
                    try forward(mainPID: mainPID)
                }
            }
        } catch {
            throw RuntimeError("NOTIFY_SOCKET", error)
        }
    }

    /// Takes what was said; the first READY=… goes on to the host with the process that the host is to watch.
    func forward(mainPID: pid_t) throws(SystemError) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(number, &buffer, buffer.count)
            if count <= 0 { return }
            let lines = buffer[..<count].split(separator: UInt8(ascii: "\n"))
            guard !isReady, let ready = lines.first(where: { $0.starts(with: Array("READY=".utf8)) }) else { continue }
            isReady = true
            try tell(Array(ready), mainPID)
        }
    }

    private func tell(_ ready: [UInt8], _ mainPID: pid_t) throws(SystemError) {
        let client = try UnixSocket(.datagram)
        try check(sys_unix_connect_any(client.descriptor.raw, host), "connect", host)
        try client.send(ready + [UInt8(ascii: "\n")])
        try client.send(Array("MAINPID=\(mainPID)\n".utf8))
        // sd_notify_barrier(3): the manager closes the pipe once it has read what came before. One that doesn't know the
        // message never does, and isn't waited for.
        var pipe = try Pipe()
        try client.send(Array("BARRIER=1".utf8), descriptors: [pipe.writing])
        close(pipe.takeWriting())
        try check(sys_poll(pipe.reading, 0, 5_000), "poll")
    }
}
