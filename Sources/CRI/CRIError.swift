/// Why a CRI call failed: a gRPC status code's name and a sentence for people.
///
/// The codes are those of gRPC (github.com/grpc/grpc/blob/master/doc/statuscodes.md), because that is what crosses the
/// socket; in process the same value travels unwrapped.
public struct CRIError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: Int, Sendable {
        case cancelled = 1
        case unknown = 2
        case invalidArgument = 3
        case deadlineExceeded = 4
        case notFound = 5
        case alreadyExists = 6
        case permissionDenied = 7
        case resourceExhausted = 8
        case failedPrecondition = 9
        case aborted = 10
        case outOfRange = 11
        case unimplemented = 12
        case `internal` = 13
        case unavailable = 14
        case dataLoss = 15
        case unauthenticated = 16
    }

    public var code: Code
    /// What failed, on what, and why; no code in front and no full stop behind.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
