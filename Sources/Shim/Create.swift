import Glibc
import Linux
import ShimProtocol

/// A `create` that the runtime is busy with.
private final class Creation {
    let container: PodContainer
    let responder: Responder
    let pidFile: String
    var streams: ContainerStreams?
    let console: ConsoleSocket?

    init(
        _ container: PodContainer, _ responder: Responder, pidFile: String, streams: consuming ContainerStreams,
        console: ConsoleSocket?
    ) {
        self.container = container
        self.responder = responder
        self.pidFile = pidFile
        self.streams = consume streams
        self.console = console
    }
}

extension ShimServer {
    /// Has the runtime create a container. Answers with its first process once its output is read; when it fails, nothing is
    /// left of it.
    func create(_ request: CreateRequest, _ responder: Responder) throws(ShimFailure) {
        guard request.restore == nil || !request.terminal else {
            throw ShimFailure(.invalid, "container \(request.id): a terminal can't be restored")
        }
        guard containers[request.id] == nil else {
            throw ShimFailure(.exists, "container \(request.id) exists already in this shim")
        }
        let container = PodContainer(request)
        container.log = try request.log.map { place throws(ShimFailure) in try LogFile(place) }
        container.log?.outputLost = { [unowned self] reason in
            emit(.outputLost(container: request.id, reason: reason))
        }
        let creation: Creation
        do throws(SystemError) {
            var console: ConsoleSocket?
            if request.terminal {
                console = try ConsoleSocket(
                    directory: directory.descriptor.raw, name: temporaryName("tty"), loop: loop)
            }
            creation = Creation(
                container, responder, pidFile: temporaryName("pid"), streams: try ContainerStreams(request),
                console: console)
        } catch {
            throw ShimFailure(.system, "streams of container \(request.id): \(error)")
        }
        try launch(creation)
        containers[request.id] = container
    }

    private func launch(_ creation: Creation) throws(ShimFailure) {
        let request = creation.container.request
        var arguments = ["create"]
        if let images = request.restore {
            arguments = ["restore", "--detach", "--image-path", images, "--work-path", images]
        }
        arguments += ["--bundle", request.bundle, "--pid-file", "\(directory.path)/\(creation.pidFile)"]
        if let console = creation.console { arguments += ["--console-socket", console.path] }
        arguments += request.runtimeArguments + [request.id]
        let streams = [
            creation.streams?.runtimeInput.raw ?? -1, creation.streams?.runtimeOutput.raw ?? -1,
            creation.streams?.runtimeErrors.raw ?? -1,
        ]
        creation.container.creation = try runRuntime(
            arguments, streams: streams, deadlineMilliseconds: request.deadlineMilliseconds
        ) { [unowned self] outcome in
            creation.container.creation = nil
            switch outcome {
            case .succeeded: created(creation)
            case .failed(let failure, let spoke): createFailed(creation, failure, spoke: spoke)
            }
        }
    }

    private func created(_ creation: Creation) {
        let container = creation.container
        guard let pid = takePID(creation.pidFile) else {
            createFailed(
                creation, ShimFailure(.runtime, "OCI runtime \(options.runtime): create wrote no process id"),
                spoke: true)
            return
        }
        container.pid = pid
        claim(pid, .container(container))
        guard let console = creation.console else {
            finish(creation, master: nil)
            return
        }
        // The runtime has sent the master by now, but this loop may not have come to it.
        let patience = loop.after(milliseconds: 5000) { [unowned self] in
            createFailed(
                creation, ShimFailure(.runtime, "OCI runtime \(options.runtime): create sent no terminal"), spoke: true)
        }
        console.whenArrived { [unowned self] in
            loop.cancel(patience)
            finish(creation, master: console.takeMaster())
        }
    }

    private func finish(_ creation: Creation, master: consuming Descriptor?) {
        let container = creation.container
        do throws(SystemError) {
            if let master {
                try connect(container, terminal: master)
            } else if let streams = creation.streams.take() {
                try connect(container, streams)
            }
        } catch {
            createFailed(
                creation, ShimFailure(.system, "streams of container \(container.id): \(error)"), spoke: true)
            return
        }
        container.memory = MemoryEvents(pid: container.pid)
        container.createdAt = Clock.wallNanoseconds()
        container.stage = .created
        if container.request.restore != nil {
            // What was restored runs already.
            container.startedAt = container.createdAt
            container.stage = .running
        }
        creation.responder.succeed(Reply(pid: container.pid))
        // One that ended meanwhile had to wait for its streams, and one that nobody wants any more for its creation.
        if container.end != nil { finishContainer(container) }
        if !container.deletions.isEmpty { beginDeletion(container) }
    }

    private func connect(_ container: PodContainer, terminal master: consuming Descriptor) throws(SystemError) {
        if let size = container.request.terminalSize {
            // A terminal that can't be resized is still a terminal.
            try? Terminal.resize(master.raw, size)
        }
        container.input = try InputPump(
            target: master.duplicate(), closesAfterFirst: false, loop: loop, scratchpad: scratchpad)
        let reading = try master.duplicate()
        container.terminal = consume master
        container.outputs = [
            try pump(container, reading, stream: "stdout", waitsForReaders: true)
        ]
        for output in container.outputs { try output.begin() }
    }

    private func connect(_ container: PodContainer, _ streams: consuming ContainerStreams) throws(SystemError) {
        if let input = streams.input.take() {
            container.input = try InputPump(
                target: input, closesAfterFirst: container.request.stdinOnce, loop: loop, scratchpad: scratchpad)
        }
        if let output = streams.output.take() {
            container.outputs.append(try pump(container, output, stream: "stdout", waitsForReaders: false))
        }
        if let errors = streams.errors.take() {
            container.outputs.append(try pump(container, errors, stream: "stderr", waitsForReaders: false))
        }
        for output in container.outputs { try output.begin() }
    }

    private func pump(
        _ container: PodContainer, _ source: consuming Descriptor, stream: StaticString, waitsForReaders: Bool
    ) throws(SystemError) -> OutputPump {
        try OutputPump(
            source: source, stream: stream, log: container.log, loop: loop, scratchpad: scratchpad,
            waitsForReaders: waitsForReaders
        ) { [unowned self, weak container] in
            if let container { outputEnded(container) }
        }
    }

    private func createFailed(_ creation: Creation, _ failure: ShimFailure, spoke: Bool) {
        var failure = failure
        if !spoke, let complaint = creation.streams?.complaint() { failure.message = complaint }
        let container = creation.container
        creation.console?.close()
        creation.streams = nil
        _ = takePID(creation.pidFile)
        if container.pid != 0, container.end == nil {
            owners[container.pid] = nil
            Glibc.kill(container.pid, SIGKILL)
        }
        release(container)
        discard(container, deadlineMilliseconds: 10_000) { [unowned self] in
            containers[container.id] = nil
            creation.responder.fail(failure)
            answerDeletions(container, .success(Reply()))
        }
    }

    /// Reads and removes a pid file that the runtime was told to write.
    func takePID(_ name: String) -> pid_t? {
        let text = try? File.readText(name, limit: 64, at: directory.descriptor.raw)
        unlinkat(directory.descriptor.raw, name, 0)
        let digits = (text ?? "").drop { !$0.isNumber }.prefix { $0.isNumber }
        guard let pid = pid_t(digits), pid > 1 else { return nil }
        return pid
    }

    /// Has the runtime throw away what it may hold of a container that we give up.
    private func discard(_ container: PodContainer, deadlineMilliseconds: Int64, then done: @escaping () -> Void) {
        guard File.exists("\(options.runtimeRoot)/\(container.id)") else {
            done()
            return
        }
        do throws(ShimFailure) {
            try runRuntime(["delete", "--force", container.id], deadlineMilliseconds: deadlineMilliseconds) { _ in
                // The first failure is what is told; a runtime that can't clean up either has nothing to add.
                done()
            }
        } catch {
            done()
        }
    }
}
