/// One line written into one control file: the smallest step of a plan.
public struct CgroupWrite: Sendable, Hashable {
    /// What to do when the kernel says no.
    public enum Refusal: Sendable, Hashable {
        /// The limit can't be kept: an error.
        case fails
        /// Tried again after the controller's other writes: the order that works depends on what is there.
        case triedAgain
        /// The kernel may lack the file or the right: nothing that anybody asked for is lost.
        case passedOver
    }

    /// The controller whose directory holds the file: `memory`, `blkio`.
    public var controller: String
    public var file: String
    public var value: String
    /// The configuration's field, for messages: `linux.resources.memory.limit`.
    public var field: String
    public var refusal: Refusal

    public init(_ controller: String, _ file: String, _ value: String, for field: String, refusal: Refusal = .fails) {
        self.controller = controller
        self.file = file
        self.value = value
        self.field = field
        self.refusal = refusal
    }
}

/// Which version's files are written.
public enum CgroupVersion: Sendable, Hashable {
    case v1, v2
}
