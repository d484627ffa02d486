import KubeTypes

/// What a probe or a hook does, with names and defaults worked out. Pure.
enum ProbeTarget: Sendable, Hashable {
    case exec([String])
    case http(HTTPGet)
    case tcp(host: String, port: Int)
    /// It can't be asked, and why.
    case impossible(String)

    /// - Parameter address: the pod's
    init(_ probe: Probe, _ container: Container, address: String) {
        if let exec = probe.exec {
            self = .exec(exec.command)
        } else if let get = probe.httpGet {
            self = Self.http(get, container, address)
        } else if let socket = probe.tcpSocket {
            guard let port = Self.port(socket.port, container) else {
                self = .impossible("no port named \"\(socket.port)\" in container \(container.name)")
                return
            }
            self = .tcp(host: socket.host.isEmpty ? address : socket.host, port: port)
        } else {
            self = .impossible("this kind of probe is not done yet")
        }
    }

    static func http(_ get: HTTPGetAction, _ container: Container, _ address: String) -> ProbeTarget {
        guard let port = port(get.port, container) else {
            return .impossible("no port named \"\(get.port)\" in container \(container.name)")
        }
        let path = get.path.hasPrefix("/") ? get.path : "/" + get.path
        return .http(
            HTTPGet(
                scheme: get.scheme == .https ? "https" : "http", host: get.host.isEmpty ? address : get.host,
                port: port,
                path: path, headers: get.httpHeaders.map { HTTPGet.Header(name: $0.name, value: $0.value) }))
    }

    /// A number, or the container's port of that name.
    static func port(_ port: IntOrString, _ container: Container) -> Int? {
        let number: Int?
        switch port {
        case .int(let value): number = value
        case .string(let name): number = container.ports.first { $0.name == name }?.containerPort ?? Int(name)
        }
        return number.flatMap { (1...65535).contains($0) ? $0 : nil }
    }
}
