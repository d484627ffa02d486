extension PodValidation {
    /// Requests and limits of a container.
    mutating func resources(_ resources: ResourceRequirements, _ path: FieldPath) {
        for (kind, list) in [("limits", resources.limits), ("requests", resources.requests)] {
            for (name, amount) in list.sorted(by: { $0.key < $1.key }) {
                resource(name, amount, path.field(kind).key(name))
            }
        }
        for (name, request) in resources.requests.sorted(by: { $0.key < $1.key }) {
            let field = path.field("requests")
            guard let limit = resources.limits[name] else {
                if Self.isExtended(name) {
                    report(.required(path.field("limits"), "Limit must be set for non overcommitable resources"))
                }
                continue
            }
            if Self.isExtended(name) || name.hasPrefix("hugepages-") {
                if request != limit {
                    report(.invalid(field, request.description, "must be equal to \(name) limit of \(limit)"))
                }
            } else if request > limit {
                report(.invalid(field, request.description, "must be less than or equal to \(name) limit of \(limit)"))
            }
        }
    }

    private mutating func resource(_ name: String, _ amount: Quantity, _ path: FieldPath) {
        if amount < Quantity() {
            report(.invalid(path, amount.description, "must be greater than or equal to 0"))
        }
        if name.contains("/") {
            check(path, name, Names.qualified(name))
            if amount.nanos % Quantity.nanosPerUnit != 0 {
                report(.invalid(path, amount.description, "must be an integer"))
            }
        } else if !Self.standard.contains(name), !name.hasPrefix("hugepages-") {
            let hint = Spelling.nearest(to: name, in: Self.standard).map { "; did you mean \(quoted($0))?" } ?? ""
            report(.invalid(path, name, "must be a standard resource for containers" + hint))
        }
    }

    private static let standard: Set<String> = ["cpu", "memory", "ephemeral-storage"]

    private static func isExtended(_ name: String) -> Bool { name.contains("/") && !name.hasPrefix("kubernetes.io/") }
}
