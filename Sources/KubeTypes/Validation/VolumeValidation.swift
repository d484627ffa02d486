extension PodValidation {
    /// The pod's volumes.
    mutating func volumes(_ path: FieldPath) {
        var names: Set<String> = []
        for (index, volume) in pod.spec.volumes.enumerated() {
            let field = path.index(index)
            if volume.name.isEmpty {
                report(.required(field.field("name")))
            } else {
                check(field.field("name"), volume.name, Names.label(volume.name))
                if !names.insert(volume.name).inserted { report(.duplicate(field.field("name"), volume.name)) }
            }
            if volume.sourceCount == 0 { report(.required(field, "must specify a volume type")) }
            if volume.sourceCount > 1 { report(.forbidden(field, "may not specify more than 1 volume type")) }
            if let source = volume.emptyDir { emptyDir(source, field.field("emptyDir")) }
            if let source = volume.hostPath { hostPath(source, field.field("hostPath")) }
        }
    }

    private mutating func emptyDir(_ source: EmptyDirVolumeSource, _ path: FieldPath) {
        if let limit = source.sizeLimit, limit < Quantity() {
            report(.forbidden(path.field("sizeLimit"), "SizeLimit field must be a valid resource quantity"))
        }
        let medium = source.medium
        if medium != .unset, medium != .memory, medium != .hugePages, !medium.rawValue.hasPrefix("HugePages-") {
            report(.unsupported(path.field("medium"), medium.rawValue, ["", "Memory", "HugePages"]))
        }
    }

    private mutating func hostPath(_ source: HostPathVolumeSource, _ path: FieldPath) {
        if source.path.isEmpty {
            report(.required(path.field("path")))
        } else {
            noBackSteps(source.path, path.field("path"))
            if !source.path.hasPrefix("/") {
                report(.invalid(path.field("path"), source.path, "must be an absolute path"))
            }
        }
        if let type = source.type, type != .unset {
            let known: [HostPathType] = [
                .directoryOrCreate, .directory, .fileOrCreate, .file, .socket, .charDevice, .blockDevice,
            ]
            if !known.contains(type) {
                report(.unsupported(path.field("type"), type.rawValue, [""] + known.map(\.rawValue)))
            }
        }
    }

    /// Where a container sees the volumes.
    mutating func mounts(_ container: Container, _ path: FieldPath) {
        var targets: Set<String> = []
        let volumes = Set(pod.spec.volumes.map(\.name))
        for (index, mount) in container.volumeMounts.enumerated() {
            let field = path.index(index)
            if mount.name.isEmpty {
                report(.required(field.field("name")))
            } else if !volumes.contains(mount.name) {
                report(.notFound(field.field("name"), mount.name))
            }
            if mount.mountPath.isEmpty {
                report(.required(field.field("mountPath")))
            } else if !targets.insert(mount.mountPath).inserted {
                report(.invalid(field.field("mountPath"), mount.mountPath, "must be unique"))
            }
            if !mount.subPath.isEmpty { relative(mount.subPath, field.field("subPath")) }
            if !mount.subPathExpr.isEmpty {
                relative(mount.subPathExpr, field.field("subPathExpr"))
                if !mount.subPath.isEmpty {
                    report(
                        .invalid(
                            field.field("subPathExpr"), mount.subPathExpr,
                            "subPathExpr and subPath are mutually exclusive"))
                }
            }
            propagation(mount, container, field)
        }
    }

    private mutating func propagation(_ mount: VolumeMount, _ container: Container, _ path: FieldPath) {
        let field = path.field("mountPropagation")
        if let mode = mount.mountPropagation {
            check(field, mode, oneOf: [.none, .hostToContainer, .bidirectional])
            if mode == .bidirectional, container.securityContext?.privileged != true {
                report(
                    .forbidden(
                        field, "Bidirectional mount propagation is available only to privileged containers"))
            }
        }
        guard let recursive = mount.recursiveReadOnly else { return }
        let known = ["Disabled", "Enabled", "IfPossible"]
        if !known.contains(recursive) {
            report(.unsupported(path.field("recursiveReadOnly"), recursive, known))
        } else if recursive != "Disabled" {
            if !mount.readOnly {
                report(
                    .forbidden(
                        path.field("recursiveReadOnly"), "may only be specified when readOnly is true"))
            }
            if let mode = mount.mountPropagation, mode != .none {
                report(
                    .forbidden(
                        path.field("recursiveReadOnly"),
                        "may only be specified when mountPropagation is None or not specified"))
            }
        }
    }

    private mutating func relative(_ text: String, _ path: FieldPath) {
        if text.hasPrefix("/") { report(.invalid(path, text, "must be a relative path")) }
        noBackSteps(text, path)
    }

    mutating func noBackSteps(_ text: String, _ path: FieldPath) {
        if text.split(separator: "/").contains("..") { report(.invalid(path, text, "must not contain '..'")) }
        if text.utf8.contains(0) { report(.invalid(path, text, "must not contain a zero byte")) }
    }
}
