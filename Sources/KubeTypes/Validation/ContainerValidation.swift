extension PodValidation {
    /// Every container, and what must be unique among them.
    mutating func containers(_ spec: FieldPath) {
        let path = spec.field("containers")
        if pod.spec.containers.isEmpty { report(.required(path)) }
        var names: Set<String> = []
        var hostPorts: Set<String> = []
        for (index, container) in pod.spec.containers.enumerated() {
            let field = path.index(index)
            self.container(container, field, names: &names)
            uniqueHostPorts(container, field, &hostPorts)
            if container.restartPolicy?.rawValue.isEmpty == false {
                let known: [ContainerRestartPolicy] = [.always, .onFailure, .never]
                check(field.field("restartPolicy"), container.restartPolicy ?? .always, oneOf: known)
            }
        }
        for (index, container) in pod.spec.initContainers.enumerated() {
            let field = spec.field("initContainers").index(index)
            self.container(container, field, names: &names)
            var own: Set<String> = []
            uniqueHostPorts(container, field, &own)
            initContainer(container, field)
        }
    }

    private mutating func container(_ container: Container, _ path: FieldPath, names: inout Set<String>) {
        let name = path.field("name")
        if container.name.isEmpty {
            report(.required(name))
        } else {
            check(name, container.name, Names.label(container.name))
            if !names.insert(container.name).inserted { report(.duplicate(name, container.name)) }
        }
        if container.image.isEmpty {
            report(.required(path.field("image")))
        } else if container.image.first?.isWhitespace == true || container.image.last?.isWhitespace == true {
            report(.invalid(path.field("image"), container.image, "must not have leading or trailing whitespace"))
        }
        check(path.field("imagePullPolicy"), container.imagePullPolicy, oneOf: [.always, .ifNotPresent, .never])
        check(
            path.field("terminationMessagePolicy"), container.terminationMessagePolicy,
            oneOf: [.file, .fallbackToLogsOnError])
        ports(container, path.field("ports"))
        environment(container, path)
        resources(container.resources, path.field("resources"))
        mounts(container, path.field("volumeMounts"))
        containerSecurity(container.securityContext, path.field("securityContext"))
        probe(container.livenessProbe, path.field("livenessProbe"), .liveness)
        probe(container.readinessProbe, path.field("readinessProbe"), .readiness)
        probe(container.startupProbe, path.field("startupProbe"), .startup)
        lifecycle(container.lifecycle, path.field("lifecycle"))
    }

    private mutating func initContainer(_ container: Container, _ path: FieldPath) {
        if container.restartPolicy == .always { return }
        if let policy = container.restartPolicy {
            check(path.field("restartPolicy"), policy, oneOf: [.always, .onFailure, .never])
        }
        let detail = "may not be set for init containers without restartPolicy=Always"
        if container.lifecycle != nil { report(.forbidden(path.field("lifecycle"), detail)) }
        if container.livenessProbe != nil { report(.forbidden(path.field("livenessProbe"), detail)) }
        if container.readinessProbe != nil { report(.forbidden(path.field("readinessProbe"), detail)) }
        if container.startupProbe != nil { report(.forbidden(path.field("startupProbe"), detail)) }
    }

    private mutating func ports(_ container: Container, _ path: FieldPath) {
        var names: Set<String> = []
        for (index, port) in container.ports.enumerated() {
            let field = path.index(index)
            if !port.name.isEmpty {
                let problems = Names.port(port.name)
                check(field.field("name"), port.name, problems)
                if problems.isEmpty, !names.insert(port.name).inserted {
                    report(.duplicate(field.field("name"), port.name))
                }
            }
            if port.containerPort == 0 {
                report(.required(field.field("containerPort")))
            } else {
                portNumber(port.containerPort, field.field("containerPort"))
            }
            if port.hostPort != 0 { portNumber(port.hostPort, field.field("hostPort")) }
            if pod.spec.hostNetwork, port.hostPort != port.containerPort {
                report(
                    .invalid(
                        field.field("hostPort"), port.hostPort,
                        "must match `containerPort` when `hostNetwork` is true"))
            }
            if !port.hostIP.isEmpty, !IPAddress.isValid(port.hostIP) {
                report(.invalid(field.field("hostIP"), port.hostIP, IPAddress.rule))
            }
            check(field.field("protocol"), port.protocol, oneOf: [.tcp, .udp, .sctp])
        }
    }

    mutating func portNumber(_ number: Int, _ path: FieldPath) {
        if !(1...65_535).contains(number) {
            report(.invalid(path, number, "must be between 1 and 65535, inclusive"))
        }
    }

    private mutating func uniqueHostPorts(_ container: Container, _ path: FieldPath, _ seen: inout Set<String>) {
        for (index, port) in container.ports.enumerated() where port.hostPort != 0 {
            let key = "\(port.protocol.rawValue)/\(port.hostIP)/\(port.hostPort)"
            if !seen.insert(key).inserted {
                report(.duplicate(path.field("ports").index(index).field("hostPort"), key))
            }
        }
    }
}
