extension Pod {
    /// Everything that upstream's API server or its kubelet would refuse in this pod; to be asked of a defaulted one.
    public func validate() -> [FieldViolation] {
        var validation = PodValidation(pod: self)
        validation.run()
        return validation.violations
    }
}

/// Collects the rules that a pod breaks; the rules for each part are in the files beside this one.
struct PodValidation {
    let pod: Pod
    var violations: [FieldViolation] = []

    init(pod: Pod) { self.pod = pod }

    mutating func run() {
        metadata(pod.metadata, FieldPath().field("metadata"))
        let spec = FieldPath().field("spec")
        volumes(spec.field("volumes"))
        containers(spec)
        lifetime(spec)
        host(spec)
        podSecurity(spec.field("securityContext"))
        dns(spec)
        references(spec)
        scheduling(spec)
    }

    /// More than this are counted by nobody, and each costs a search for its place.
    static let mostViolations = 256

    mutating func report(_ violation: FieldViolation) {
        if violations.count < Self.mostViolations { violations.append(violation) }
    }

    /// Reports each problem of a text at a field.
    mutating func check(_ field: FieldPath, _ text: String, _ problems: [String]) {
        for problem in problems { report(.invalid(field, text, problem)) }
    }

    mutating func check<Value: RawRepresentable<String>>(_ field: FieldPath, _ value: Value, oneOf known: [Value]) {
        let names = known.map(\.rawValue)
        if value.rawValue.isEmpty {
            report(.required(field, "must be one of " + names.sorted().joined(separator: ", ")))
        } else if !names.contains(value.rawValue) {
            report(.unsupported(field, value.rawValue, names))
        }
    }

    private mutating func metadata(_ meta: ObjectMeta, _ path: FieldPath) {
        if meta.name.isEmpty {
            report(.required(path.field("name"), "a pod from a manifest needs a name"))
        } else {
            check(path.field("name"), meta.name, Names.subdomain(meta.name))
        }
        if !meta.namespace.isEmpty { check(path.field("namespace"), meta.namespace, Names.label(meta.namespace)) }
        for (key, value) in meta.labels.sorted(by: { $0.key < $1.key }) {
            labelPair(key, value, path.field("labels"))
        }
        var size = 0
        for (key, value) in meta.annotations.sorted(by: { $0.key < $1.key }) {
            for problem in Names.qualified(key.lowercased()) {
                report(.invalid(path.field("annotations").key(key), key, problem))
            }
            size += key.utf8.count + value.utf8.count
        }
        if size > 256 << 10 {
            report(
                FieldViolation(field: path.field("annotations"), message: "Too long: may not be more than 262144 bytes")
            )
        }
    }

    mutating func labelPair(_ key: String, _ value: String, _ path: FieldPath) {
        check(path.key(key), key, Names.qualified(key))
        check(path.key(key), value, Names.labelValue(value))
    }

    private mutating func lifetime(_ path: FieldPath) {
        check(path.field("restartPolicy"), pod.spec.restartPolicy, oneOf: [.always, .onFailure, .never])
        if let grace = pod.spec.terminationGracePeriodSeconds, grace < 0 {
            report(
                .invalid(path.field("terminationGracePeriodSeconds"), grace, "must be greater than or equal to 0"))
        }
        if let deadline = pod.spec.activeDeadlineSeconds, !(1...Int64(Int32.max)).contains(deadline) {
            report(
                .invalid(path.field("activeDeadlineSeconds"), deadline, "must be between 1 and 2147483647, inclusive"))
        }
    }

    private mutating func host(_ path: FieldPath) {
        let spec = pod.spec
        if spec.hostPID, spec.shareProcessNamespace == true {
            report(
                .invalid(
                    path.field("shareProcessNamespace"), true,
                    "ShareProcessNamespace and HostPID cannot both be enabled"))
        }
        if spec.hostUsers == false {
            let detail = "when `hostUsers` is false"
            if spec.hostNetwork { report(.forbidden(path.field("hostNetwork"), detail)) }
            if spec.hostPID { report(.forbidden(path.field("hostPID"), detail)) }
            if spec.hostIPC { report(.forbidden(path.field("hostIPC"), detail)) }
        }
        if let name = spec.hostnameOverride {
            let field = path.field("hostnameOverride")
            check(field, name, Names.subdomain(name))
            if name.utf8.count > 64 { report(.invalid(field, name, "must be no more than 64 bytes")) }
            if spec.hostNetwork { report(.forbidden(field, "may not be set when `hostNetwork` is true")) }
            if spec.setHostnameAsFQDN == true {
                report(.forbidden(field, "may not be set when `setHostnameAsFQDN` is true"))
            }
        }
        if !spec.hostname.isEmpty { check(path.field("hostname"), spec.hostname, Names.label(spec.hostname)) }
        if !spec.subdomain.isEmpty { check(path.field("subdomain"), spec.subdomain, Names.label(spec.subdomain)) }
        if let name = spec.os?.name {
            if name.isEmpty {
                report(.required(path.field("os").field("name")))
            } else if name != "linux" {
                report(.unsupported(path.field("os").field("name"), name, ["linux"]))
            }
        }
    }

    private mutating func references(_ path: FieldPath) {
        let spec = pod.spec
        for (index, secret) in spec.imagePullSecrets.enumerated() where secret.name.isEmpty {
            report(.required(path.field("imagePullSecrets").index(index).field("name")))
        }
        if !spec.serviceAccountName.isEmpty {
            check(
                path.field("serviceAccountName"), spec.serviceAccountName, Names.subdomain(spec.serviceAccountName))
        }
        for (key, value) in spec.nodeSelector.sorted(by: { $0.key < $1.key }) {
            labelPair(key, value, path.field("nodeSelector"))
        }
        for (index, gate) in spec.readinessGates.enumerated() {
            let field = path.field("readinessGates").index(index).field("conditionType")
            check(field, gate.conditionType, Names.qualified(gate.conditionType))
        }
    }
}
