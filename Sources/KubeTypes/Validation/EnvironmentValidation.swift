extension PodValidation {
    /// A container's variables.
    mutating func environment(_ container: Container, _ path: FieldPath) {
        for (index, variable) in container.env.enumerated() {
            let field = path.field("env").index(index)
            if variable.name.isEmpty {
                report(.required(field.field("name")))
            } else {
                check(field.field("name"), variable.name, Names.environmentVariable(variable.name))
            }
            if variable.value.utf8.contains(0) {
                report(.invalid(field.field("value"), variable.value, "must not contain a zero byte"))
            }
            if let source = variable.valueFrom {
                self.source(source, field.field("valueFrom"), hasValue: !variable.value.isEmpty)
            }
        }
        for (index, source) in container.envFrom.enumerated() {
            let field = path.field("envFrom").index(index)
            if !source.prefix.isEmpty {
                check(field.field("prefix"), source.prefix, Names.environmentVariable(source.prefix))
            }
            switch [source.configMapRef != nil, source.secretRef != nil].count(where: { $0 }) {
            case 0: report(.invalid(field, "", "must specify one of: `configMapRef` or `secretRef`"))
            case 1: break
            default: report(.invalid(field, "", "may not have more than one field specified at a time"))
            }
        }
    }

    private mutating func source(_ source: EnvVarSource, _ path: FieldPath, hasValue: Bool) {
        let set = [
            source.fieldRef != nil, source.resourceFieldRef != nil, source.configMapKeyRef != nil,
            source.secretKeyRef != nil, source.fileKeyRef != nil,
        ]
        switch set.count(where: { $0 }) {
        case 0:
            let detail =
                "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
            report(.invalid(path, "", detail))
        case 1:
            if hasValue { report(.invalid(path, "", "may not be specified when `value` is not empty")) }
        default: report(.invalid(path, "", "may not have more than one field specified at a time"))
        }
        if let field = source.fieldRef { podField(field, path.field("fieldRef")) }
        if let resource = source.resourceFieldRef { resourceField(resource, path.field("resourceFieldRef")) }
        if let key = source.configMapKeyRef, key.key.isEmpty {
            report(.required(path.field("configMapKeyRef").field("key")))
        }
        if let key = source.secretKeyRef, key.key.isEmpty {
            report(.required(path.field("secretKeyRef").field("key")))
        }
    }

    private mutating func podField(_ selector: ObjectFieldSelector, _ path: FieldPath) {
        let field = path.field("fieldPath")
        if selector.apiVersion != "v1" {
            report(.invalid(path.field("apiVersion"), selector.apiVersion, "must be \"v1\""))
        }
        if selector.fieldPath.isEmpty {
            report(.required(field))
            return
        }
        if let (map, key) = selector.subscripted {
            switch map {
            case "metadata.annotations": check(field, key, Names.qualified(key.lowercased()))
            case "metadata.labels": check(field, key, Names.qualified(key))
            default:
                report(.invalid(field, selector.fieldPath, "only metadata.labels and metadata.annotations have keys"))
            }
        } else if !ObjectFieldSelector.environmentPaths.contains(selector.fieldPath) {
            report(.unsupported(field, selector.fieldPath, ObjectFieldSelector.environmentPaths))
        }
    }

    private mutating func resourceField(_ selector: ResourceFieldSelector, _ path: FieldPath) {
        let names = ["limits", "requests"].flatMap { kind in
            ["cpu", "memory", "ephemeral-storage"].map { "\(kind).\($0)" }
        }
        if selector.resource.isEmpty {
            report(.required(path.field("resource")))
        } else if !names.contains(selector.resource),
            !selector.resource.hasPrefix("limits.hugepages-"), !selector.resource.hasPrefix("requests.hugepages-")
        {
            report(.unsupported(path.field("resource"), selector.resource, names))
        }
        guard let divisor = selector.divisor, divisor != Quantity() else { return }
        let isProcessor = selector.resource.hasSuffix(".cpu")
        let allowed =
            isProcessor
            ? ["1m", "1"] : ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"]
        if !allowed.contains(divisor.description) {
            let what = isProcessor ? "cpu" : "memory"
            report(
                .invalid(
                    path.field("divisor"), divisor.description,
                    "only divisor's values \(allowed.joined(separator: ", ")) are supported with the \(what) resource"))
        }
    }
}

extension ObjectFieldSelector {
    /// The pod's fields that a variable can hold, besides `metadata.labels['key']` and `metadata.annotations['key']`.
    public static let environmentPaths = [
        "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
        "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
    ]

    /// The parts of `metadata.labels['key']`; nil for other paths.
    public var subscripted: (path: String, key: String)? {
        guard fieldPath.hasSuffix("']"), let open = fieldPath.range(of: "['") else { return nil }
        return (String(fieldPath[..<open.lowerBound]), String(fieldPath[open.upperBound...].dropLast(2)))
    }
}

extension StringProtocol {
    /// Where a text occurs first.
    fileprivate func range(of text: String) -> Range<Index>? {
        firstRange(of: text)
    }
}
