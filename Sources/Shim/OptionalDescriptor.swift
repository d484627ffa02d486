import Linux

extension Optional where Wrapped == Descriptor {
    /// The number, borrowed, if there is a descriptor.
    var number: Int32? {
        switch self {
        case .some(let descriptor): descriptor.raw
        case .none: nil
        }
    }
}
