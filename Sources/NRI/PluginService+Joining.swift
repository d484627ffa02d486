import Linux
import Logging
import Sandboxes
import SwiftProtobuf
import TTRPC

extension PluginService {
    func welcome(_ handover: Handover) async {
        guard let socket = handover.take(), self.socket != nil, connections < PluginService.mostPlugins else { return }
        connections += 1
        defer { connections -= 1 }
        let registration = Registration()
        let connection = Connection(socket, numbers: Plugin.numbers) {
            (service, method, payload) throws(CallFailure) in
            try await self.answer(service, method, payload, registration)
        }
        let serving = Task { await connection.serve() }
        guard let name = await registration.name(within: Plugin.registrationTimeout) else {
            logger.warning("a program connected to the socket for NRI plugins and didn't say who it is in time")
            return await connection.close()
        }
        let plugin = Plugin(name: name, connection: connection)
        do throws(CallFailure) {
            try await join(plugin)
        } catch {
            return await drop(plugin, "it could not join: \(error)")
        }
        await serving.value
        await drop(plugin, "it has gone")
    }

    /// A plugin is among those that are asked before it is told what there is: what is made meanwhile it hears of after.
    private func join(_ plugin: Plugin) async throws(CallFailure) {
        try await plugin.configure(runtime: runtime, version: version)
        plugins.append(plugin)
        plugins.sort { $0.name < $1.name }
        let state = await node.hookedState()
        let updates = try await plugin.synchronize(
            state.pods.map { NRIPodSandbox($0) }, state.containers.map { NRIContainer($0) })
        await plugin.becomeReady()
        logger.info("an NRI plugin has joined", metadata: ["plugin": "\(plugin.name)"])
        _ = await node.apply(PluginService.updates(updates))
    }

    func drop(_ plugin: Plugin, _ why: String) async {
        await plugin.leave()
        guard plugins.contains(where: { $0 === plugin }) else { return }
        plugins.removeAll { $0 === plugin }
        logger.notice("an NRI plugin is let go", metadata: ["plugin": "\(plugin.name)", "reason": "\(why)"])
    }

    /// What plugins ask of the runtime.
    private func answer(
        _ service: String, _ method: String, _ payload: [UInt8], _ registration: Registration
    ) async throws(CallFailure) -> [UInt8] {
        func read<Request: SwiftProtobuf.Message>() throws(CallFailure) -> Request {
            do { return try Request(serializedBytes: payload) } catch {
                throw CallFailure(.unknown, "\(method): the request can't be read")
            }
        }
        switch (service, method) {
        case ("nri.pkg.api.v1alpha1.Runtime", "RegisterPlugin"):
            let request: NRIRegisterPluginRequest = try read()
            try await registration.register(request)
            return []
        case ("nri.pkg.api.v1alpha1.Runtime", "UpdateContainers"):
            let request: NRIUpdateContainersRequest = try read()
            let failed = await node.apply(PluginService.updates(request.update))
            await node.evict(PluginService.evictions(request.evict))
            let response = NRIUpdateContainersResponse.with { response in
                response.failed = failed.map { update in
                    .with {
                        $0.containerID = update.container
                        $0.linux.resources = NRILinuxResources(update.resources)
                    }
                }
            }
            do { return try response.serializedBytes() } catch {
                throw CallFailure(.unknown, "\(method): the answer can't be encoded")
            }
        default: throw CallFailure(.unimplemented, "no method \(method) of \(service)")
        }
    }
}
