extension PodValidation {
    enum ProbeRole { case liveness, readiness, startup }

    /// A probe's numbers and its one handler.
    mutating func probe(_ probe: Probe?, _ path: FieldPath, _ role: ProbeRole) {
        guard let probe else { return }
        let set = [probe.exec != nil, probe.httpGet != nil, probe.tcpSocket != nil, probe.grpc != nil]
        handlerCount(set, path)
        if let action = probe.exec { exec(action, path.field("exec")) }
        if let action = probe.httpGet { http(action, path.field("httpGet")) }
        if let action = probe.tcpSocket { port(action.port, path.field("tcpSocket").field("port")) }
        if let action = probe.grpc { portNumber(action.port, path.field("grpc").field("port")) }
        let numbers = [
            ("initialDelaySeconds", probe.initialDelaySeconds), ("timeoutSeconds", probe.timeoutSeconds),
            ("periodSeconds", probe.periodSeconds), ("successThreshold", probe.successThreshold),
            ("failureThreshold", probe.failureThreshold),
        ]
        for (name, value) in numbers where value < 0 {
            report(.invalid(path.field(name), value, "must be greater than or equal to 0"))
        }
        if role != .readiness, probe.successThreshold != 1, probe.successThreshold >= 0 {
            report(.invalid(path.field("successThreshold"), probe.successThreshold, "must be 1"))
        }
        guard let grace = probe.terminationGracePeriodSeconds else { return }
        let field = path.field("terminationGracePeriodSeconds")
        if role == .readiness {
            report(.invalid(field, grace, "must not be set for readinessProbes"))
        } else if grace <= 0 {
            report(.invalid(field, grace, "must be greater than 0"))
        }
    }

    /// What is done after the start and before the stop.
    mutating func lifecycle(_ lifecycle: Lifecycle?, _ path: FieldPath) {
        if let handler = lifecycle?.postStart { self.handler(handler, path.field("postStart")) }
        if let handler = lifecycle?.preStop { self.handler(handler, path.field("preStop")) }
        guard let signal = lifecycle?.stopSignal else { return }
        if pod.spec.os == nil {
            report(
                .forbidden(path.field("stopSignal"), "may not be set for containers with empty `spec.os.name`"))
        } else if !Self.signals.contains(signal) {
            report(FieldViolation(field: path.field("stopSignal"), message: "Unsupported value: \(quoted(signal))"))
        }
    }

    private static let signals: Set<String> = {
        let named = [
            "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL", "PIPE",
            "POLL", "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP", "TTIN", "TTOU",
            "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ", "RTMIN", "RTMAX",
        ]
        let realTime = (1...15).map { "RTMIN+\($0)" } + (1...14).map { "RTMAX-\($0)" }
        return Set((named + realTime).map { "SIG" + $0 })
    }()

    private mutating func handler(_ handler: LifecycleHandler, _ path: FieldPath) {
        let set = [handler.exec != nil, handler.httpGet != nil, handler.tcpSocket != nil, handler.sleep != nil]
        handlerCount(set, path)
        if let action = handler.exec { exec(action, path.field("exec")) }
        if let action = handler.httpGet { http(action, path.field("httpGet")) }
        if let action = handler.tcpSocket { port(action.port, path.field("tcpSocket").field("port")) }
        let grace = pod.spec.terminationGracePeriodSeconds ?? 30
        if let sleep = handler.sleep, sleep.seconds < 0 || sleep.seconds > grace {
            report(
                .invalid(
                    path.field("sleep").field("seconds"), sleep.seconds,
                    "must be non-negative and less than terminationGracePeriodSeconds (\(grace))"))
        }
    }

    private mutating func handlerCount(_ set: [Bool], _ path: FieldPath) {
        switch set.count(where: { $0 }) {
        case 0: report(.required(path, "must specify a handler type"))
        case 1: break
        default: report(.forbidden(path, "may not specify more than 1 handler type"))
        }
    }

    private mutating func exec(_ action: ExecAction, _ path: FieldPath) {
        if action.command.isEmpty { report(.required(path.field("command"))) }
    }

    private mutating func http(_ action: HTTPGetAction, _ path: FieldPath) {
        if action.path.isEmpty { report(.required(path.field("path"))) }
        port(action.port, path.field("port"))
        check(path.field("scheme"), action.scheme, oneOf: [.http, .https])
        for (index, header) in action.httpHeaders.enumerated() {
            let field = path.field("httpHeaders").index(index).field("name")
            check(field, header.name, Names.httpHeader(header.name))
        }
    }

    private mutating func port(_ port: IntOrString, _ path: FieldPath) {
        switch port {
        case .int(let number): portNumber(number, path)
        case .string(let name): check(path, name, Names.port(name))
        }
    }
}
