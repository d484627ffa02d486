import FoundationEssentials
import Linux
import SwiftProtobuf

/// A connection to a program that is asked and asks: calls go out on one channel, come in on another (ttrpc, unary calls).
///
/// Every call has a deadline. When the connection breaks, all that wait fail with `.unavailable`.
package actor Connection {
    /// Answers a call: service, method and the request's bytes.
    package typealias Handler =
        @Sendable (_ service: String, _ method: String, _ payload: [UInt8]) async throws(CallFailure) -> [UInt8]

    /// The channels of calls from here and of calls from there.
    package struct Numbers: Sendable {
        package var outgoing: UInt32
        package var incoming: UInt32

        package init(outgoing: UInt32, incoming: UInt32) {
            self.outgoing = outgoing
            self.incoming = incoming
        }
    }

    /// How many calls from there may be answered at once.
    private static let mostIncoming = 64

    private let trunk: Trunk
    private let numbers: Numbers
    private let handler: Handler
    private var waiting: [UInt32: CheckedContinuation<Result<[UInt8], CallFailure>, Never>] = [:]
    private var nextStream: UInt32 = 1
    private var incoming = 0
    private var closedBecause: CallFailure?

    package init(_ socket: consuming UnixSocket, numbers: Numbers, handler: @escaping Handler) {
        trunk = Trunk(socket)
        self.numbers = numbers
        self.handler = handler
    }

    deinit { trunk.close() }

    /// Reads what comes until the connection ends.
    package func serve() async {
        for await event in trunk.events(channels: [numbers.outgoing, numbers.incoming]) {
            switch event {
            case .message(let channel, let frame):
                if channel == numbers.outgoing { answered(frame) } else { asked(frame) }
            case .closed(let problem):
                broke(
                    CallFailure(
                        .unavailable, problem.map { "the connection broke: \($0)" } ?? "the connection is closed"))
            }
        }
    }

    package func close() { trunk.close() }

    package var isClosed: Bool { closedBecause != nil }

    /// Asks a method of a service; `timeout` is told to the other end, too.
    package func call(
        _ service: String, _ method: String, _ payload: [UInt8], timeout: Duration
    ) async throws(CallFailure) -> [UInt8] {
        if let closedBecause { throw closedBecause }
        var request = TTRPCRequest()
        request.service = service
        request.method = method
        request.payload = Data(payload)
        request.timeoutNano = timeout.wholeNanoseconds
        let stream = nextStream
        nextStream &+= 2
        let bytes = try Connection.encoded(request)
        let alarm = Task { [weak self] in
            do { try await Task.sleep(for: timeout) } catch { return }
            await self?.end(
                stream, .failure(CallFailure(.deadlineExceeded, "no answer to \(method) within \(timeout)")))
        }
        let result = await withCheckedContinuation { continuation in
            waiting[stream] = continuation
            trunk.send(channel: numbers.outgoing, Frame(stream: stream, kind: .request, payload: bytes))
        }
        alarm.cancel()
        return try result.get()
    }

    private static func encoded(_ message: some SwiftProtobuf.Message) throws(CallFailure) -> [UInt8] {
        let bytes: [UInt8]
        do {
            bytes = try message.serializedBytes()
        } catch {
            throw CallFailure(.unknown, "a message can't be encoded: \(error)")
        }
        guard bytes.count <= Frame.mostBytes else {
            throw CallFailure(
                .resourceExhausted, "a message of \(bytes.count) bytes, more than \(Frame.mostBytes)")
        }
        return bytes
    }

    private func end(_ stream: UInt32, _ result: Result<[UInt8], CallFailure>) {
        waiting.removeValue(forKey: stream)?.resume(returning: result)
    }

    private func answered(_ frame: Frame) {
        guard frame.kind == Frame.Kind.response.rawValue else { return }
        guard let response = try? TTRPCResponse(serializedBytes: frame.payload) else {
            return end(frame.stream, .failure(CallFailure(.unknown, "the answer can't be read")))
        }
        let failed = response.hasStatus && response.status.code != 0
        end(frame.stream, failed ? .failure(CallFailure(response.status)) : .success([UInt8](response.payload)))
    }

    private func asked(_ frame: Frame) {
        guard frame.kind == Frame.Kind.request.rawValue else { return }
        guard let request = try? TTRPCRequest(serializedBytes: frame.payload) else {
            return answer(frame.stream, .failure(CallFailure(.unknown, "the request can't be read")))
        }
        guard incoming < Connection.mostIncoming else {
            return answer(frame.stream, .failure(CallFailure(.resourceExhausted, "too many calls at once")))
        }
        incoming += 1
        Task {
            let result: Result<[UInt8], CallFailure>
            do throws(CallFailure) {
                result = .success(try await handler(request.service, request.method, [UInt8](request.payload)))
            } catch {
                result = .failure(error)
            }
            incoming -= 1
            answer(frame.stream, result)
        }
    }

    private func answer(_ stream: UInt32, _ result: Result<[UInt8], CallFailure>) {
        var response = TTRPCResponse()
        switch result {
        case .success(let payload): response.payload = Data(payload)
        case .failure(let failure):
            response.status = TTRPCStatus.with {
                $0.code = failure.code
                $0.message = failure.message
            }
        }
        guard let bytes = try? Connection.encoded(response) else { return trunk.close() }
        trunk.send(channel: numbers.incoming, Frame(stream: stream, kind: .response, payload: bytes))
    }

    private func broke(_ failure: CallFailure) {
        closedBecause = failure
        for stream in Array(waiting.keys) { end(stream, .failure(failure)) }
    }
}

extension Duration {
    fileprivate var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return max(1, seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
