import Glibc
import Linux
import ShimProtocol

/// A container's streams while the runtime creates it: its ends for the runtime, ours for the pumps.
struct ContainerStreams: ~Copyable {
    /// What become the runtime's standard streams, and without a terminal the container's.
    let runtimeInput: Descriptor
    let runtimeOutput: Descriptor
    let runtimeErrors: Descriptor
    /// Our ends; with a terminal, whose master comes later, only what the runtime itself complains about.
    var input: Descriptor?
    var output: Descriptor?
    var errors: Descriptor?

    init(_ request: CreateRequest) throws(SystemError) {
        var errors = try Pipe()
        // Made all the same where they are not used: a pipe costs less than a second way through here.
        var output = try Pipe()
        var input = try Pipe()
        let null = try File.open("/dev/null", O_RDWR)
        let second = try null.duplicate()
        runtimeErrors = Descriptor(owning: errors.takeWriting())
        self.errors = Descriptor(owning: errors.takeReading())
        let hasInput = request.stdin && !request.terminal
        runtimeInput = hasInput ? Descriptor(owning: input.takeReading()) : null
        self.input = hasInput ? Descriptor(owning: input.takeWriting()) : nil
        runtimeOutput = request.terminal ? second : Descriptor(owning: output.takeWriting())
        self.output = request.terminal ? nil : Descriptor(owning: output.takeReading())
    }

    /// What a runtime that failed wrote to its standard error.
    func complaint() -> String? {
        guard let raw = errors.number, fcntl(raw, F_SETFL, O_NONBLOCK) == 0 else { return nil }
        let text = [UInt8](unsafeUninitializedCapacity: 8192) { buffer, count in
            count = max(0, Glibc.read(raw, buffer.baseAddress, buffer.count))
        }
        return RuntimeLog.message(text)
    }
}
