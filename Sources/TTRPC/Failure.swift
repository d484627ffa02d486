/// Why a call came to nothing.
package struct CallFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// gRPC's status codes, those that are told apart here.
    package enum Code: Int32, Sendable {
        case cancelled = 1
        case unknown = 2
        case deadlineExceeded = 4
        case resourceExhausted = 8
        case unimplemented = 12
        case unavailable = 14
    }

    package var code: Int32
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code.rawValue
        self.message = message
    }

    init(_ status: TTRPCStatus) {
        code = status.code
        message = status.message
    }

    package var description: String { message }

    /// The other end is gone or doesn't keep its time: there is no use in asking it again.
    package var isFatal: Bool { code == Code.deadlineExceeded.rawValue || code == Code.unavailable.rawValue }
}
