import CRI

extension Engine {
    /// Ends something: who asks for the same meanwhile joins, and it is never left halfway, whoever goes away. A caller that
    /// is cancelled is let go at once; the next one joins what goes on.
    ///
    /// Whatever hangs in the pod's lane, its end has one of its own.
    /// - Parameter key: what is done to what
    func ending(
        _ key: String, lane: SandboxID, _ work: @escaping @Sendable () async throws -> Void
    ) async throws {
        let flight: Flight<String, Void>
        if let known = endings[key] {
            flight = known
        } else {
            flight = Flight(key, endsWithCallers: false) {
                let result: Result<Void, any Error>
                do {
                    result = .success(try await Blocking.$lane.withValue("end " + lane.text) { try await work() })
                } catch {
                    result = .failure(error)
                }
                await self.land(ending: key)
                return try result.get()
            }
            endings[key] = flight
        }
        _ = try await flight.value()
    }

    private func land(ending key: String) { endings[key] = nil }
}
