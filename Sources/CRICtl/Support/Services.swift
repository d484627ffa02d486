import CRI
import CRIgRPC
import Glibc

/// The two halves of the runtime that a command talks to.
struct Services: Sendable {
    var runtime: any RuntimeService
    var images: any ImageService
    /// The connections to close in the end.
    var clients: [CRIClient] = []

    func close() async { for client in clients { await client.close() } }
}

/// Where the runtime is, put together from flags, environment and file, in that order.
struct Endpoints: Sendable, Hashable {
    static let fallback = "unix:///run/kubesim/kubesim.sock"
    /// The time that a call may take when nobody says otherwise, in seconds.
    static let defaultTimeoutSeconds: Int64 = 10

    var runtime: String
    var images: String
    var timeout: Duration
    var debug: Bool
    var retries: Int
    var configuration: ClientConfiguration

    init(_ options: GlobalOptions, environment: (String) -> String? = Endpoints.environment) throws {
        let path = options.config ?? environment("CRI_CONFIG_FILE")
        let file = try ClientConfiguration.read(path ?? ClientConfiguration.defaultPath)
        if let path, file == nil { throw Failure("config file \(path): no such file") }
        let configuration = file ?? ClientConfiguration()
        self.configuration = configuration
        runtime =
            options.runtimeEndpoint ?? environment("CONTAINER_RUNTIME_ENDPOINT") ?? configuration.runtimeEndpoint
            ?? Self.fallback
        images =
            options.imageEndpoint ?? environment("IMAGE_SERVICE_ENDPOINT") ?? configuration.imageEndpoint ?? runtime
        let seconds = configuration.timeout ?? Self.defaultTimeoutSeconds
        timeout = options.timeout.flatMap { $0.duration > .zero ? $0.duration : nil } ?? .seconds(seconds)
        debug = options.debug || configuration.debug
        retries = options.maxRetries ?? configuration.maximumRetries
    }

    static func environment(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        return text.isEmpty ? nil : text
    }

    /// Connects to both services, over one connection when they are at one place.
    func connect(timeout override: Duration? = nil) async throws -> Services {
        let limit = override ?? timeout
        let runtimeClient = try await client(runtime, limit)
        if images == runtime {
            return Services(runtime: runtimeClient, images: runtimeClient, clients: [runtimeClient])
        }
        let imageClient = try await client(images, limit)
        return Services(runtime: runtimeClient, images: imageClient, clients: [runtimeClient, imageClient])
    }

    private func client(_ endpoint: String, _ limit: Duration) async throws -> CRIClient {
        var wait = Duration.milliseconds(500)
        var attempt = 0
        while true {
            do {
                let client = try CRIClient(endpoint: endpoint, timeout: limit)
                if debug { warn("connected to \(endpoint), calls may take \(limit)") }
                return client
            } catch {
                guard error.code == .unavailable, retries < 0 || attempt < retries else { throw hint(error) }
                attempt += 1
                if debug { warn("\(error); trying again in \(wait)") }
                try await Task.sleep(for: wait)
                wait = min(wait * 2, .seconds(5))
            }
        }
    }

    private func hint(_ error: CRIError) -> any Error {
        guard error.code == .unavailable else { return Failure(error.message) }
        return Failure("\(error.message) (is `kubesim node` running? give --runtime-endpoint)")
    }
}
