import Glibc

/// Tells systemd that the service is up (sd_notify(3), the datagram without its library).
struct ReadyNotice {
    private let address: String?

    /// Takes the address out of the environment: no pod's process is to find it and speak in our name.
    init() {
        address = getenv("NOTIFY_SOCKET").map { String(cString: $0) }
        unsetenv("NOTIFY_SOCKET")
    }

    /// Says so once. Without systemd nobody hears it, and a notice that can't be sent is no reason to end.
    func send() {
        guard let address, let first = address.utf8.first, first == UInt8(ascii: "/") || first == UInt8(ascii: "@")
        else { return }
        var target = sockaddr_un()
        target.sun_family = sa_family_t(AF_UNIX)
        var path = Array(address.utf8)
        guard path.count < MemoryLayout.size(ofValue: target.sun_path) else { return }
        // An abstract address begins with a zero byte, and is as long as it says (unix(7)).
        if first == UInt8(ascii: "@") { path[0] = 0 }
        withUnsafeMutableBytes(of: &target.sun_path) { $0.copyBytes(from: path) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count + (first == UInt8(ascii: "@") ? 0 : 1))
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let message = Array("READY=1\n".utf8)
        _ = withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, message, message.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }
}
