import NIOCore
import NIOPosix

/// Is somebody listening there?
enum TCPConnect {
    /// Opens a connection and closes it again.
    static func attempt(host: String, port: Int, within limit: Duration) async throws(HTTPGet.Failure) {
        do {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(.nanoseconds(limit.wholeNanoseconds))
                .connect(host: host, port: port).get()
            // It is open: that is the answer. How the close goes doesn't matter.
            channel.close(promise: nil)
        } catch {
            throw HTTPGet.Failure(description: "dial tcp \(host):\(port): \(HTTPGet.words(error))")
        }
    }
}
