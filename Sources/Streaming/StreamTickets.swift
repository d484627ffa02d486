import CRI
import Synchronization

/// Permissions to open one stream: each is a secret of 256 random bits that works once, and not for long.
///
/// The secret is the only thing that guards a stream on the loopback device, where every local user can connect, so it
/// is never logged and leaves this type only inside the URL.
final class StreamTickets: Sendable {
    private struct Ticket {
        var request: StreamRequest
        var expiry: ContinuousClock.Instant
    }

    private let lifetime: Duration
    private let limit: Int
    private let open = Mutex<[String: Ticket]>([:])

    /// - Parameters:
    ///   - lifetime: the time in which a ticket must be used.
    ///   - limit: the number of unused tickets at which no more are given.
    init(lifetime: Duration, limit: Int) {
        self.lifetime = lifetime
        self.limit = limit
    }

    /// Makes a ticket.
    ///
    /// - Throws: `.resourceExhausted` when too many are unused.
    func issue(_ request: StreamRequest, now: ContinuousClock.Instant = .now) throws(CRIError) -> String {
        let token = Self.randomToken()
        let issued = open.withLock { open in
            if open.count >= limit { open = open.filter { $0.value.expiry > now } }
            guard open.count < limit else { return false }
            open[token] = Ticket(request: request, expiry: now + lifetime)
            return true
        }
        guard issued else {
            throw CRIError(
                .resourceExhausted, "\(limit) streams were asked for and not opened; try again in \(lifetime)")
        }
        return token
    }

    /// Takes a ticket away and says what it was for; nil when it never was, is used, is too old or of another kind.
    func redeem(_ token: String, verb: String, now: ContinuousClock.Instant = .now) -> StreamRequest? {
        open.withLock { open in
            guard let ticket = open.removeValue(forKey: token), ticket.expiry > now, ticket.request.verb == verb
            else { return nil }
            return ticket.request
        }
    }

    private static func randomToken() -> String {
        // On Linux this is getrandom(2).
        var random = SystemRandomNumberGenerator()
        return (0..<4).map { _ in
            let word = String(random.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - word.count) + word
        }.joined()
    }
}
