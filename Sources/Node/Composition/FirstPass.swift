/// The images directory's first pass: its end is awaited by pods whose images may be among what lies there.
struct FirstPass: Sendable {
    private let over: Task<Void, Never>
    private let steps: AsyncStream<Never>.Continuation

    init() {
        let (stream, steps) = AsyncStream.makeStream(of: Never.self)
        self.steps = steps
        over = Task { for await _ in stream {} }
    }

    /// May be called more than once.
    func end() { steps.finish() }

    func wait() async { await over.value }
}
