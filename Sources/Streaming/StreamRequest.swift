import CRI

/// What a ticket is for.
enum StreamRequest: Sendable {
    case exec(CRIExecRequest)
    case attach(CRIAttachRequest)
    case portForward(CRIPortForwardRequest)

    /// The first part of the URL's path, as containerd's streaming server names it.
    var verb: String {
        switch self {
        case .exec: "exec"
        case .attach: "attach"
        case .portForward: "portforward"
        }
    }
}

extension StreamRequest {
    /// Refuses what no stream can be made of, with the checks that Kubernetes' own streaming library makes.
    func validate() throws(CRIError) {
        switch self {
        case .exec(let request):
            guard !request.containerID.isEmpty else {
                throw CRIError(.invalidArgument, "exec: container_id is missing")
            }
            guard !request.cmd.isEmpty else { throw CRIError(.invalidArgument, "exec: cmd is empty") }
            try Self.validate("exec", (request.stdin, request.stdout, request.stderr), tty: request.tty)
        case .attach(let request):
            guard !request.containerID.isEmpty else {
                throw CRIError(.invalidArgument, "attach: container_id is missing")
            }
            try Self.validate("attach", (request.stdin, request.stdout, request.stderr), tty: request.tty)
        case .portForward(let request):
            guard !request.podSandboxID.isEmpty else {
                throw CRIError(.invalidArgument, "port-forward: pod_sandbox_id is missing")
            }
            if let wrong = request.port.first(where: { !(1...65535).contains($0) }) {
                throw CRIError(.invalidArgument, "port-forward: \(wrong) is no port")
            }
        }
    }

    private static func validate(
        _ verb: String, _ streams: (stdin: Bool, stdout: Bool, stderr: Bool), tty: Bool
    ) throws(CRIError) {
        guard streams.stdin || streams.stdout || streams.stderr else {
            throw CRIError(.invalidArgument, "\(verb): one of stdin, stdout and stderr must be set")
        }
        guard !(tty && streams.stderr) else {
            throw CRIError(.invalidArgument, "\(verb): tty and stderr can't both be set; a terminal has one output")
        }
    }
}
