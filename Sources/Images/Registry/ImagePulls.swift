/// The pulls at work. Who asks for the same image with the same credentials shares one; a pull that nobody waits for any
/// more is cancelled.
actor ImagePulls {
    struct Key: Hashable, Sendable {
        var image: ImageReference
        var credentials: RegistryCredentials?
    }

    typealias Outcome = Result<ImageRecord, ImageError>
    typealias Work =
        @Sendable (ImportCancellation, @escaping @Sendable (ImageProgress) -> Void) async -> Outcome

    private final class Flight {
        let number: Int
        let cancellation = ImportCancellation()
        var waiters: [Int: CheckedContinuation<Outcome, Never>] = [:]
        var observers: [Int: @Sendable (ImageProgress) -> Void] = [:]

        init(number: Int) { self.number = number }
    }

    private let limit: Int
    /// Of one registry: one that sends nothing, or as good as nothing, leaves places for the others.
    private let limitOfOne: Int
    private var flights: [Key: Flight] = [:]
    /// Also those that were cancelled and are still being cleared up.
    private var atWork: [String: Int] = [:]
    private var counter = 0

    init(limit: Int) {
        self.limit = limit
        limitOfOne = max(1, limit / 2)
    }

    /// Joins the pull of that key, or begins it.
    func pull(
        _ key: Key, progress: @escaping @Sendable (ImageProgress) -> Void, work: @escaping Work
    ) async -> Outcome {
        counter += 1
        let waiter = counter
        guard let flight = flights[key] ?? begin(key, work) else {
            return .failure(
                .registry(
                    image: key.image.description,
                    RegistryFailure(
                        .exhausted,
                        isFull
                            ? "\(limit) pulls are at work already"
                            : "\(limitOfOne) pulls from \(key.image.domain) are at work already",
                        advice: "try again later")))
        }
        flight.observers[waiter] = progress
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                flight.waiters[waiter] = continuation
                if Task.isCancelled { leave(key, waiter) }
            }
        } onCancel: {
            Task { await self.leave(key, waiter) }
        }
    }

    private var isFull: Bool { atWork.values.reduce(0, +) >= limit }

    private func begin(_ key: Key, _ work: @escaping Work) -> Flight? {
        let registry = key.image.domain
        guard !isFull, atWork[registry, default: 0] < limitOfOne else { return nil }
        atWork[registry, default: 0] += 1
        counter += 1
        let flight = Flight(number: counter)
        flights[key] = flight
        let (cancellation, number) = (flight.cancellation, flight.number)
        Task {
            let outcome = await work(cancellation) { progress in
                Task { await self.tell(key, number, progress) }
            }
            end(key, flight, outcome)
        }
        return flight
    }

    private func tell(_ key: Key, _ number: Int, _ progress: ImageProgress) {
        guard let flight = flights[key], flight.number == number else { return }
        for observe in flight.observers.values { observe(progress) }
    }

    private func end(_ key: Key, _ flight: Flight, _ outcome: Outcome) {
        let left = atWork[key.image.domain, default: 1] - 1
        atWork[key.image.domain] = left > 0 ? left : nil
        if flights[key] === flight { flights[key] = nil }
        for waiter in flight.waiters.values { waiter.resume(returning: outcome) }
        flight.waiters = [:]
    }

    /// One who waits has gone. The last of them stays until the pull has cleared up after itself.
    private func leave(_ key: Key, _ waiter: Int) {
        guard let flight = flights[key], flight.waiters[waiter] != nil else { return }
        flight.observers[waiter] = nil
        if flight.waiters.count > 1 {
            flight.waiters.removeValue(forKey: waiter)?.resume(
                returning: .failure(.cancelled(key.image.description)))
        } else {
            // Who asks for it from now on begins anew.
            flights[key] = nil
            flight.cancellation.cancel()
        }
    }
}
