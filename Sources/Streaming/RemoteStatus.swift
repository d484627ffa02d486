import JSON

/// How a streamed command ended, as the `meta/v1` Status that Kubernetes sends in the error channel.
public enum RemoteStatus: Sendable, Hashable {
    case success
    /// The process ended with another code than 0.
    case exited(code: Int32)
    /// The stream could not be served.
    case failed(message: String)

    var json: [UInt8] {
        let value: JSONValue =
            switch self {
            case .success: ["metadata": [:], "status": "Success"]
            case .exited(let code):
                [
                    "metadata": [:], "status": "Failure",
                    "message": .string(Self.words(code)),
                    "reason": "NonZeroExitCode",
                    "details": ["causes": [["reason": "ExitCode", "message": .string("\(code)")]]],
                ]
            case .failed(let message):
                [
                    "metadata": [:], "status": "Failure", "message": .string(message), "reason": "InternalError",
                    "code": 500,
                ]
            }
        return value.encoded(pretty: false)
    }

    /// What is said in the error channel: a Status, or only the words of a failure, as before version 4.
    func text(asJSON: Bool) -> [UInt8]? {
        if asJSON { return json }
        return switch self {
        case .success: nil
        case .exited(let code): Array(Self.words(code).utf8)
        case .failed(let message): Array(message.utf8)
        }
    }

    private static func words(_ code: Int32) -> String {
        "command terminated with non-zero exit code: exit status \(code)"
    }

    /// Reads a status; what can't be understood is a failure that shows the text.
    init(json bytes: [UInt8]) {
        guard let value = try? JSONValue.parse(bytes) else {
            self = .failed(message: String(decoding: bytes, as: UTF8.self))
            return
        }
        if value["status"]?.stringValue == "Success" {
            self = .success
        } else if value["reason"]?.stringValue == "NonZeroExitCode",
            let cause = value["details"]?["causes"]?.arrayValue?.first(where: { $0["reason"] == "ExitCode" }),
            let code = cause["message"]?.stringValue.flatMap({ Int32($0) })
        {
            self = .exited(code: code)
        } else {
            self = .failed(message: value["message"]?.stringValue ?? String(decoding: bytes, as: UTF8.self))
        }
    }
}
