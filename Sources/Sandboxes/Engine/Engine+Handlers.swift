import CRI
import Linux
import Logging

extension Engine {
    /// The names of all runtime handlers: the default's two, then the configured ones.
    nonisolated var handlerNames: [String] {
        let configured = configuration.runtimeHandlers.keys.filter { !$0.isEmpty && $0 != "kubesim-oci" }
        return ["", "kubesim-oci"] + configured.sorted()
    }

    /// The OCI runtime of a CRI runtime handler; a configured one goes before a built-in name.
    nonisolated func handler(_ name: String, for pod: String) throws(CRIError) -> RuntimeHandler {
        if let handler = configuration.runtimeHandlers[name] { return handler }
        if name.isEmpty || name == "kubesim-oci" { return RuntimeHandler(path: configuration.runtimePath) }
        let known = handlerNames.dropFirst().joined(separator: ", ")
        throw CRIError(
            .notFound,
            "\(pod): no runtime handler \"\(name.prefix(80))\" (there are: \(known)); add it to runtimeHandlers")
    }

    /// The program of a runtime handler.
    nonisolated func runtime(handler: String, for pod: String) throws(CRIError) -> String {
        try self.handler(handler, for: pod).path
    }

    /// What the runtime of a handler can do.
    nonisolated func features(of handler: String) -> RuntimeFeatures { features[handler] ?? RuntimeFeatures() }

    /// Asks every runtime once, side by side. One that doesn't answer can do nothing special, and says so in the log.
    static func features(
        of configuration: EngineConfiguration, root: String, logger: Logger
    ) async -> [String: RuntimeFeatures] {
        let kernel = KernelFeatures.observe()
        var paths = configuration.runtimeHandlers.mapValues(\.path)
        for name in ["", "kubesim-oci"] where paths[name] == nil { paths[name] = configuration.runtimePath }
        let programs = Set(paths.values)
        let answers = await withTaskGroup(of: (String, RuntimeFeatures).self) { group in
            for program in programs {
                group.addTask {
                    do {
                        let command = RuntimeCommand(path: program, root: root)
                        let document = try await Blocking.run { try command.features() }
                        return (program, RuntimeFeatures(document, kernel: kernel))
                    } catch {
                        logger.warning(
                            "an OCI runtime doesn't say what it can do: nothing special is taken for granted",
                            metadata: ["runtime": "\(program)", "reason": "\(error)"])
                        return (program, RuntimeFeatures())
                    }
                }
            }
            var answers: [String: RuntimeFeatures] = [:]
            for await (program, features) in group { answers[program] = features }
            return answers
        }
        return paths.mapValues { answers[$0] ?? RuntimeFeatures() }
    }
}
