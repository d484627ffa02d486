import Linux
import Synchronization
import TTRPC

/// A connection on its way from the thread that accepted it to the task that looks after it.
final class Handover: Sendable {
    private let socket: Mutex<UnixSocket?>

    init(_ socket: consuming UnixSocket) { self.socket = Mutex(socket) }

    /// The connection, once.
    func take() -> UnixSocket? {
        socket.withLock { socket in
            let taken = consume socket
            socket = nil
            return taken
        }
    }
}

/// Waits for a plugin's first word.
actor Registration {
    private var said: String?
    private var isOver = false
    private var waiter: CheckedContinuation<String?, Never>?

    /// Takes a plugin's name and index: two digits, by which plugins are put in order.
    func register(_ request: NRIRegisterPluginRequest) throws(CallFailure) {
        let (index, name) = (request.pluginIdx, request.pluginName)
        guard index.utf8.count == 2, index.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw CallFailure(.unknown, "invalid plugin index \"\(index)\": not two digits")
        }
        guard !name.isEmpty, name.utf8.count <= 128, name.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != 0x2F }) else {
            throw CallFailure(.unknown, "invalid plugin name")
        }
        guard said == nil, !isOver else { throw CallFailure(.unknown, "the plugin has registered already") }
        said = index + "-" + name
        waiter?.resume(returning: said)
        waiter = nil
    }

    /// `index-name`, or nil when nothing was said in time.
    func name(within timeout: Duration) async -> String? {
        if let said { return said }
        let alarm = Task {
            do { try await Task.sleep(for: timeout) } catch { return }
            giveUp()
        }
        let name = await withCheckedContinuation { waiter = $0 }
        alarm.cancel()
        return name
    }

    private func giveUp() {
        isOver = true
        waiter?.resume(returning: nil)
        waiter = nil
    }
}
