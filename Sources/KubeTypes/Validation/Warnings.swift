extension Pod {
    /// What is allowed but probably not meant.
    func warnings() -> [String] {
        var warnings: [String] = []
        let spec = FieldPath().field("spec")
        for (list, containers) in [("containers", self.spec.containers), ("initContainers", self.spec.initContainers)] {
            for (index, container) in containers.enumerated() {
                warnings += container.warnings(spec.field(list).index(index))
            }
        }
        return Array(warnings.prefix(64))
    }
}

extension Container {
    fileprivate func warnings(_ path: FieldPath) -> [String] {
        var warnings: [String] = []
        var seen: Set<String> = []
        for (index, variable) in env.enumerated().prefix(4096) where !seen.insert(variable.name).inserted {
            warnings.append(
                "\(path.field("env").index(index)): hides previous definition of \(quoted(variable.name)), "
                    + "which may be unexpected")
        }
        for (kind, list) in [("limits", resources.limits), ("requests", resources.requests)] {
            for (name, amount) in list.sorted(by: { $0.key < $1.key })
            where name != "cpu" && amount.nanos % Quantity.nanosPerUnit != 0 {
                warnings.append(
                    "\(path.field("resources").field(kind).key(name)): fractional byte value \(quoted(amount.description)) "
                        + "is invalid, must be an integer")
            }
        }
        let probes = [
            ("livenessProbe", livenessProbe), ("readinessProbe", readinessProbe), ("startupProbe", startupProbe),
        ]
        for (field, probe) in probes {
            let actions = [("httpGet", probe?.httpGet?.port), ("tcpSocket", probe?.tcpSocket?.port)]
            for (handler, port) in actions {
                if case .string(let name)? = port, !ports.contains(where: { $0.name == name }) {
                    warnings.append(
                        "\(path.field(field).field(handler).field("port")): the container has no port named "
                            + "\(quoted(name)), so the probe will fail")
                }
            }
        }
        return warnings
    }
}
