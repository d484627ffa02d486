extension PodValidation {
    /// What only a scheduler uses, but would be refused all the same.
    mutating func scheduling(_ spec: FieldPath) {
        if !pod.spec.nodeName.isEmpty {
            check(spec.field("nodeName"), pod.spec.nodeName, Names.subdomain(pod.spec.nodeName))
        }
        for (index, toleration) in pod.spec.tolerations.enumerated() {
            self.toleration(toleration, spec.field("tolerations").index(index))
        }
    }

    private mutating func toleration(_ toleration: Toleration, _ path: FieldPath) {
        let `operator` = toleration.operator
        let operators = ["Equal", "Exists", "Gt", "Lt"]
        if toleration.key.isEmpty {
            if `operator` != "Exists" {
                report(
                    .invalid(
                        path.field("operator"), `operator`,
                        "operator must be Exists when `key` is empty, which means \"match all values and all keys\""))
            }
        } else {
            check(path.field("key"), toleration.key, Names.qualified(toleration.key))
        }
        if !`operator`.isEmpty, !operators.contains(`operator`) {
            report(.unsupported(path.field("operator"), `operator`, operators))
        } else if `operator` == "Exists" {
            if !toleration.value.isEmpty {
                report(
                    .invalid(
                        path.field("operator"), toleration.value, "value must be empty when `operator` is 'Exists'"))
            }
        } else {
            check(path.field("value"), toleration.value, Names.labelValue(toleration.value))
        }
        let effects = ["NoExecute", "NoSchedule", "PreferNoSchedule"]
        if !toleration.effect.isEmpty, !effects.contains(toleration.effect) {
            report(.unsupported(path.field("effect"), toleration.effect, effects))
        }
        if toleration.tolerationSeconds != nil, toleration.effect != "NoExecute" {
            report(
                .invalid(
                    path.field("effect"), toleration.effect,
                    "effect must be 'NoExecute' when `tolerationSeconds` is set"))
        }
    }
}
