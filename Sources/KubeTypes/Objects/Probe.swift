/// A check that the kubelet repeats.
public struct Probe: Sendable, Hashable, Codable {
    public var exec: ExecAction?
    public var failureThreshold: Int
    public var grpc: GRPCAction?
    public var httpGet: HTTPGetAction?
    public var initialDelaySeconds: Int
    public var periodSeconds: Int
    public var successThreshold: Int
    public var tcpSocket: TCPSocketAction?
    public var terminationGracePeriodSeconds: Int64?
    public var timeoutSeconds: Int

    /// What is left out is unset, as in a manifest.
    public init(
        exec: ExecAction? = nil,
        failureThreshold: Int = 0,
        grpc: GRPCAction? = nil,
        httpGet: HTTPGetAction? = nil,
        initialDelaySeconds: Int = 0,
        periodSeconds: Int = 0,
        successThreshold: Int = 0,
        tcpSocket: TCPSocketAction? = nil,
        terminationGracePeriodSeconds: Int64? = nil,
        timeoutSeconds: Int = 0
    ) {
        self.exec = exec
        self.failureThreshold = failureThreshold
        self.grpc = grpc
        self.httpGet = httpGet
        self.initialDelaySeconds = initialDelaySeconds
        self.periodSeconds = periodSeconds
        self.successThreshold = successThreshold
        self.tcpSocket = tcpSocket
        self.terminationGracePeriodSeconds = terminationGracePeriodSeconds
        self.timeoutSeconds = timeoutSeconds
    }
}

/// A command run in the container.
public struct ExecAction: Sendable, Hashable, Codable {
    public var command: [String]

    /// What is left out is unset, as in a manifest.
    public init(
        command: [String] = []
    ) {
        self.command = command
    }
}

/// An HTTP request.
public struct HTTPGetAction: Sendable, Hashable, Codable {
    public var port: IntOrString
    public var host: String
    public var httpHeaders: [HTTPHeader]
    public var path: String
    public var scheme: URIScheme

    /// What is left out is unset, as in a manifest.
    public init(
        port: IntOrString = .int(0),
        host: String = "",
        httpHeaders: [HTTPHeader] = [],
        path: String = "",
        scheme: URIScheme = .unset
    ) {
        self.port = port
        self.host = host
        self.httpHeaders = httpHeaders
        self.path = path
        self.scheme = scheme
    }
}

/// One header of a probe's request.
public struct HTTPHeader: Sendable, Hashable, Codable {
    public var name: String
    public var value: String

    /// What is left out is unset, as in a manifest.
    public init(
        name: String = "",
        value: String = ""
    ) {
        self.name = name
        self.value = value
    }
}

/// A TCP connection.
public struct TCPSocketAction: Sendable, Hashable, Codable {
    public var port: IntOrString
    public var host: String

    /// What is left out is unset, as in a manifest.
    public init(
        port: IntOrString = .int(0),
        host: String = ""
    ) {
        self.port = port
        self.host = host
    }
}

/// A gRPC health check.
public struct GRPCAction: Sendable, Hashable, Codable {
    public var port: Int
    public var service: String?

    /// What is left out is unset, as in a manifest.
    public init(
        port: Int = 0,
        service: String? = nil
    ) {
        self.port = port
        self.service = service
    }
}

/// A pause.
public struct SleepAction: Sendable, Hashable, Codable {
    public var seconds: Int64

    /// What is left out is unset, as in a manifest.
    public init(
        seconds: Int64 = 0
    ) {
        self.seconds = seconds
    }
}

/// What is done after a container's start and before its stop.
public struct Lifecycle: Sendable, Hashable, Codable {
    public var postStart: LifecycleHandler?
    public var preStop: LifecycleHandler?
    public var stopSignal: String?

    /// What is left out is unset, as in a manifest.
    public init(
        postStart: LifecycleHandler? = nil,
        preStop: LifecycleHandler? = nil,
        stopSignal: String? = nil
    ) {
        self.postStart = postStart
        self.preStop = preStop
        self.stopSignal = stopSignal
    }
}

/// One action of a container's life.
public struct LifecycleHandler: Sendable, Hashable, Codable {
    public var exec: ExecAction?
    public var httpGet: HTTPGetAction?
    public var sleep: SleepAction?
    public var tcpSocket: TCPSocketAction?

    /// What is left out is unset, as in a manifest.
    public init(
        exec: ExecAction? = nil,
        httpGet: HTTPGetAction? = nil,
        sleep: SleepAction? = nil,
        tcpSocket: TCPSocketAction? = nil
    ) {
        self.exec = exec
        self.httpGet = httpGet
        self.sleep = sleep
        self.tcpSocket = tcpSocket
    }
}
