import KubeTypes

/// A container's variables, with `$(NAME)` expanded.
enum Environment {
    /// A variable that can't be had: its words go into the container's `CreateContainerConfigError`.
    struct Unresolved: Error, Sendable, Equatable, CustomStringConvertible {
        let description: String
    }

    /// What `fieldRef` can show.
    struct Fields: Sendable {
        var podIPs: [String] = []
        var hostIPs: [String] = []
        /// The node's amounts, for `resourceFieldRef` without a limit.
        var nodeMillis: Int64 = 0
        var nodeMemoryBytes: Int64 = 0
    }

    /// In the manifest's order; a later definition of a name wins and keeps the first one's place.
    static func build(
        _ container: Container, _ pod: Pod, _ fields: Fields
    ) throws(Unresolved) -> [(name: String, value: String)] {
        for source in container.envFrom {
            if source.configMapRef?.optional == true || source.secretRef?.optional == true { continue }
            let what =
                source.secretRef.map { "secret \"\($0.name)\"" } ?? "configmap \"\(source.configMapRef?.name ?? "")\""
            throw Unresolved(description: "envFrom: \(what) not found: there is no API server to ask")
        }
        var values: [String: String] = [:]
        var order: [String] = []
        for variable in container.env {
            guard let value = try resolve(variable, container, pod, fields, values) else { continue }
            if values.updateValue(value, forKey: variable.name) == nil { order.append(variable.name) }
        }
        return order.map { ($0, values[$0] ?? "") }
    }

    /// Replaces `$(NAME)` by the value, `$$` by `$`; what names no variable stays as it is.
    static func expand(_ text: String, _ lookup: (String) -> String?) -> String {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
        var result: [UInt8] = []
        let bytes = Array(text.utf8)
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "$"), index + 1 < bytes.count else {
                result.append(bytes[index])
                index += 1
                continue
            }
            if bytes[index + 1] == UInt8(ascii: "$") {
                result.append(UInt8(ascii: "$"))
                index += 2
            } else if bytes[index + 1] == UInt8(ascii: "("),
                let end = bytes[(index + 2)...].firstIndex(of: UInt8(ascii: ")"))
            {
                let name = String(decoding: bytes[(index + 2)..<end], as: UTF8.self)
                result += lookup(name).map { Array($0.utf8) } ?? Array(bytes[index...end])
                index = end + 1
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func resolve(
        _ variable: EnvVar, _ container: Container, _ pod: Pod, _ fields: Fields, _ earlier: [String: String]
    ) throws(Unresolved) -> String? {
        guard let source = variable.valueFrom else { return expand(variable.value) { earlier[$0] } }
        if let field = source.fieldRef {
            guard let value = value(of: field.fieldPath, pod, fields) else {
                throw Unresolved(description: "env \(variable.name): unsupported fieldPath \"\(field.fieldPath)\"")
            }
            return value
        }
        if let resource = source.resourceFieldRef {
            return try amount(resource, variable.name, container, pod, fields)
        }
        if let key = source.configMapKeyRef {
            if key.optional == true { return nil }
            throw Unresolved(
                description: "env \(variable.name): configmap \"\(key.name)\" not found: there is no API server to ask")
        }
        if let key = source.secretKeyRef {
            if key.optional == true { return nil }
            throw Unresolved(
                description: "env \(variable.name): secret \"\(key.name)\" not found: there is no API server to ask")
        }
        throw Unresolved(description: "env \(variable.name): this source of a value is not done yet")
    }

    /// A field of the pod as text.
    private static func value(of path: String, _ pod: Pod, _ fields: Fields) -> String? {
        switch path {
        case "metadata.name": return pod.metadata.name
        case "metadata.namespace": return pod.metadata.namespace
        case "metadata.uid": return pod.metadata.uid
        case "spec.nodeName": return pod.spec.nodeName
        case "spec.serviceAccountName": return pod.spec.serviceAccountName
        case "status.podIP": return fields.podIPs.first ?? ""
        case "status.podIPs": return fields.podIPs.joined(separator: ",")
        case "status.hostIP": return fields.hostIPs.first ?? ""
        case "status.hostIPs": return fields.hostIPs.joined(separator: ",")
        default: break
        }
        for (prefix, map) in [
            ("metadata.labels['", pod.metadata.labels), ("metadata.annotations['", pod.metadata.annotations),
        ]
        where path.hasPrefix(prefix) && path.hasSuffix("']") {
            return map[String(path.dropFirst(prefix.count).dropLast(2))] ?? ""
        }
        return nil
    }

    private static func amount(
        _ selector: ResourceFieldSelector, _ name: String, _ own: Container, _ pod: Pod, _ fields: Fields
    ) throws(Unresolved) -> String {
        let target =
            selector.containerName.isEmpty ? own : pod.allContainers.first { $0.name == selector.containerName }
        guard let target else {
            throw Unresolved(description: "env \(name): no container \"\(selector.containerName)\" in the pod")
        }
        let amount: Quantity
        switch selector.resource {
        case "limits.cpu":
            amount = target.resources.limits["cpu"] ?? Quantity(milli: fields.nodeMillis)
        case "limits.memory":
            amount = target.resources.limits["memory"] ?? Quantity(bytes: fields.nodeMemoryBytes)
        case "requests.cpu":
            amount = target.resources.requests["cpu"] ?? target.resources.limits["cpu"] ?? Quantity()
        case "requests.memory":
            amount = target.resources.requests["memory"] ?? target.resources.limits["memory"] ?? Quantity()
        default:
            throw Unresolved(description: "env \(name): resource \"\(selector.resource)\" is not done yet")
        }
        let divisor = selector.divisor.flatMap { $0.nanos == 0 ? nil : $0 } ?? Quantity(1)
        let (quotient, rest) = amount.nanos.quotientAndRemainder(dividingBy: divisor.nanos)
        // Rounded up, as upstream does.
        return "\(rest > 0 ? quotient + 1 : quotient)"
    }
}
