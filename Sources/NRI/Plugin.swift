import Linux
import Logging
import SwiftProtobuf
import TTRPC

/// A connected plugin: asked one thing at a time, in order, each within its time.
actor Plugin {
    static let service = "nri.pkg.api.v1alpha1.Plugin"
    /// The connection's channels: the plugin's service, and the runtime's.
    static let numbers = Connection.Numbers(outgoing: 1, incoming: 2)

    /// How long a plugin has to say who it is and to take in what there is already, and for everything else.
    static let registrationTimeout = Duration.seconds(5)
    static let requestTimeout = Duration.seconds(2)

    enum Stage: Sendable {
        /// Not told yet what there is.
        case joining
        case ready
        case gone
    }

    nonisolated let name: String
    private let connection: Connection
    private var stage = Stage.joining
    private var events: Int32 = 0
    private var isBusy = false
    private var line: [CheckedContinuation<Void, Never>] = []
    private var joined: [CheckedContinuation<Void, Never>] = []
    /// It knows only the events of NRI's first versions, which all go through one call.
    private var isOld = false

    /// - Parameter name: index and name, by which plugins are put in order: `10-cpus`
    init(name: String, connection: Connection) {
        self.name = name
        self.connection = connection
    }

    func isSubscribed(_ event: NRIEvent) -> Bool { events & (1 << Int32(event.rawValue - 1)) != 0 }

    /// Tells the plugin where it is and hears what it wants to know.
    func configure(runtime: String, version: String) async throws(CallFailure) {
        let request = NRIConfigureRequest.with {
            $0.runtimeName = runtime
            $0.runtimeVersion = version
            $0.registrationTimeout = 5000
            $0.requestTimeout = 2000
            $0.nriVersion = "v0.12.1"
        }
        let response: NRIConfigureResponse = try await send("Configure", request, Plugin.requestTimeout)
        let all = (Int32(1) << Int32(NRIEvent.last.rawValue - 1)) - 1
        guard response.events & ~all == 0 else {
            throw CallFailure(.unknown, "it asks for events that there are not: \(response.events & ~all)")
        }
        events = response.events == 0 ? all : response.events
    }

    /// Tells the plugin what there is, in messages that are not too long.
    func synchronize(
        _ pods: [NRIPodSandbox], _ containers: [NRIContainer]
    ) async throws(CallFailure) -> [NRIContainerUpdate] {
        var messages = SynchronizeMessages.split(pods, containers)
        let last = messages.removeLast()
        for message in messages {
            let response: NRISynchronizeResponse = try await send("Synchronize", message, Plugin.registrationTimeout)
            guard response.more, response.update.isEmpty else {
                throw CallFailure(.unknown, "it can't take in what there is in several messages")
            }
        }
        let response: NRISynchronizeResponse = try await send("Synchronize", last, Plugin.registrationTimeout)
        return response.update
    }

    /// The plugin knows what there is: what waited for that goes on.
    func becomeReady() {
        guard stage == .joining else { return }
        stage = .ready
        for waiter in joined { waiter.resume() }
        joined = []
    }

    /// The plugin is asked nothing any more.
    func leave() async {
        stage = .gone
        for waiter in joined { waiter.resume() }
        joined = []
        await connection.close()
    }

    /// Asks what the plugin has subscribed to; nil if it hasn't, or is gone.
    func ask<Response: SwiftProtobuf.Message>(
        _ event: NRIEvent, _ method: String, _ request: some SwiftProtobuf.Message
    ) async throws(CallFailure) -> Response? {
        guard isSubscribed(event) else { return nil }
        if stage == .joining { await withCheckedContinuation { joined.append($0) } }
        await takeTurn()
        defer { giveBackTurn() }
        guard stage == .ready else { return nil }
        return try await send(method, request, Plugin.requestTimeout)
    }

    /// Tells what the plugin has no answer to.
    func tell(
        _ event: NRIEvent, _ method: String, _ request: some SwiftProtobuf.Message, _ old: NRIStateChangeEvent
    ) async throws(CallFailure) {
        if !isOld {
            do throws(CallFailure) {
                let _: NRIEmpty? = try await ask(event, method, request)
                return
            } catch {
                guard error.code == CallFailure.Code.unimplemented.rawValue else { throw error }
                isOld = true
            }
        }
        let _: NRIEmpty? = try await ask(event, "StateChange", old)
    }

    func shutDown() async {
        // It is going anyway.
        let _: NRIEmpty? = try? await send("Shutdown", NRIEmpty(), Plugin.requestTimeout)
    }

    private func send<Response: SwiftProtobuf.Message>(
        _ method: String, _ request: some SwiftProtobuf.Message, _ timeout: Duration
    ) async throws(CallFailure) -> Response {
        let payload: [UInt8]
        do {
            payload = try request.serializedBytes()
        } catch {
            throw CallFailure(.unknown, "\(method) can't be encoded: \(error)")
        }
        let answer = try await connection.call(Plugin.service, method, payload, timeout: timeout)
        do {
            return try Response(serializedBytes: answer)
        } catch {
            throw CallFailure(.unavailable, "the answer to \(method) can't be read: \(error)")
        }
    }

    private func takeTurn() async {
        if !isBusy {
            isBusy = true
            return
        }
        await withCheckedContinuation { line.append($0) }
    }

    private func giveBackTurn() {
        if line.isEmpty { isBusy = false } else { line.removeFirst().resume() }
    }
}
