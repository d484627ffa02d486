public import CRI
import Linux
public import Logging
public import Sandboxes

/// The Node Resource Interface: plugins connect to a socket, hear of each step of pods' and containers' lives, and change what
/// is about to be made.
///
/// Plugins are asked in the order of their indexes. One that doesn't answer in time, or speaks nonsense, is let go: it holds up
/// a pod for its two seconds and no longer. What two plugins want of the same thing is an error that names both.
public actor PluginService {
    /// As many plugins as anybody has, several times over.
    static let mostPlugins = 64

    let path: String
    let runtime: String
    let version: String
    let node: any HookedNode
    let logger: Logger
    var socket: PluginSocket?
    var plugins: [Plugin] = []
    /// Also those that haven't said yet who they are.
    var connections = 0

    /// - Parameter path: of the socket: `/var/run/nri/nri.sock`
    public init(path: String, runtime: String, version: String, node: any HookedNode, logger: Logger) {
        self.path = path
        self.runtime = runtime
        self.version = version
        self.node = node
        self.logger = logger
    }

    /// Begins to listen.
    ///
    /// - Throws: `CRIError` when it can't: another runtime does.
    public func begin() throws(CRIError) {
        let opened: PluginSocket
        do throws(SystemError) {
            opened = try PluginSocket(path)
        } catch {
            throw CRIError(.unavailable, "the socket for NRI plugins: \(error)")
        }
        socket = opened
        opened.accept(
            { socket in
                let handover = Handover(socket)
                Task { await self.welcome(handover) }
            }, {})
    }

    /// Tells the plugins that the node ends, and lets them go.
    public func end() async {
        socket?.close()
        socket = nil
        let all = plugins
        plugins = []
        await withTaskGroup(of: Void.self) { group in
            for plugin in all {
                group.addTask {
                    await plugin.shutDown()
                    await plugin.leave()
                }
            }
        }
    }
}
