import NIOCore

/// What the client of an exec or attach says.
enum CommandInput: Sendable {
    case stdin(ByteBuffer)
    case stdinEnded
    case resize(RemoteCommand.TerminalSize)
}

/// The client of an exec or attach, whatever it speaks.
protocol CommandClient: Sendable {
    /// Reads the connection until the client leaves.
    func pump(into inbox: StreamInbox<CommandInput>, _ budget: ByteBudget) async throws
    /// Returns once everything that the command needs is open.
    func ready() async throws
    /// Sends output; waits while the client reads slowly.
    func send(_ channel: RemoteCommand.Channel, _ bytes: ByteBuffer) async throws
    /// Says that an output has ended.
    func end(_ channel: RemoteCommand.Channel) async throws
    /// Says how the command ended, and goodbye.
    func finish(_ status: RemoteStatus) async throws
}
