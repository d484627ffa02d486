import CRI
import Images
import Linux
import PodNetwork
import ShimProtocol

/// The one translation of what lower rooms throw into the CRI's words.
enum Failure {
    /// `error` as a CRI error whose message begins with `context` (pod, container, step); an inner text is never repeated.
    static func translate(_ error: any Error, _ context: String, default code: CRIError.Code = .unknown) -> CRIError {
        switch error {
        case let error as CRIError: CRIError(error.code, "\(context): \(rest(of: error.message, behind: context))")
        case let error as ShimFailure: CRIError(self.code(error.code), "\(context): \(error.message)")
        case let error as NetworkError: CRIError(self.code(error.code), "\(context): \(error)")
        case let error as ImageError: CRIError(self.code(error), "\(context): \(error)")
        case let error as SystemError: CRIError(self.code(error.errno), "\(context): \(error)")
        case let error as StateError: CRIError(self.code(error.code), "\(context): \(error)")
        case is CancellationError: CRIError(.cancelled, "\(context): the caller went away")
        default: CRIError(code, "\(context): \(error)")
        }
    }

    /// A message without the names of pod and container that the context begins with.
    private static func rest(of message: String, behind context: String) -> Substring {
        let names = context.split(separator: ": ", maxSplits: 1).first.map { $0 + ": " } ?? ""
        return names.hasPrefix("pod ") && message.hasPrefix(names) ? message.dropFirst(names.count) : message[...]
    }

    private static func code(_ code: ShimFailure.Code) -> CRIError.Code {
        switch code {
        case .invalid: .invalidArgument
        case .notFound: .notFound
        case .exists: .alreadyExists
        case .wrongStage: .failedPrecondition
        case .deadline, .noAnswer: .deadlineExceeded
        case .abandoned: .cancelled
        case .disconnected, .notStarted: .unavailable
        case .runtime, .system: .unknown
        }
    }

    private static func code(_ code: NetworkError.Code) -> CRIError.Code {
        code == .deadline ? .deadlineExceeded : .unknown
    }

    private static func code(_ error: ImageError) -> CRIError.Code {
        switch error {
        case .notFound: .notFound
        case .invalidReference: .invalidArgument
        case .refused: .invalidArgument
        default: .unknown
        }
    }

    private static func code(_ code: StateError.Code) -> CRIError.Code {
        switch code {
        case .full: .resourceExhausted
        case .closed: .unavailable
        case .failed: .unknown
        }
    }

    private static func code(_ errno: Errno) -> CRIError.Code {
        errno == .noSpace || errno == .quota ? .resourceExhausted : .unknown
    }
}
