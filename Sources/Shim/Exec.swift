import Glibc
import Linux
import ShimProtocol

/// An `exec` that the runtime is busy with.
private final class ExecLaunch {
    let container: PodContainer
    let exec: ContainerExec
    let request: ExecRequest
    let responder: Responder
    let pidFile: String
    let console: ConsoleSocket?
    /// The process's description; the runtime reads it through this process.
    let process: Descriptor

    init(
        _ container: PodContainer, _ request: ExecRequest, _ responder: Responder, pidFile: String,
        console: ConsoleSocket?, process: consuming Descriptor
    ) {
        self.container = container
        self.request = request
        self.responder = responder
        self.pidFile = pidFile
        self.console = console
        self.process = process
        exec = ContainerExec(request.exec)
    }
}

extension ShimServer {
    /// Has the runtime start one more process in a container. Answers with its pid, and with a terminal with the master.
    func exec(
        _ request: ExecRequest, _ streams: StreamSet, _ descriptors: inout PassedDescriptors, _ responder: Responder
    ) throws(ShimFailure) {
        let container = try container(request.container)
        guard container.stage == .created || container.stage == .running, container.end == nil else {
            throw ShimFailure(
                .wrongStage,
                "container \(container.id) \(container.end == nil ? "is " + container.stage.rawValue : "has just ended"):"
                    + " nothing can be run in it")
        }
        if let known = container.execs[request.exec] {
            guard known.exit != nil else {
                throw ShimFailure(.exists, "container \(container.id) has an exec \(request.exec) already")
            }
            container.forget(exec: request.exec)
        }
        guard container.execs.values.count(where: { $0.exit == nil }) < ContainerExec.mostLiving else {
            throw ShimFailure(
                .invalid, "container \(container.id) has \(ContainerExec.mostLiving) execs running: no more at once")
        }
        guard descriptors.count == streams.count + 1, let process = descriptors.next() else {
            throw ShimFailure(.invalid, "exec: the descriptors do not match the request")
        }
        do throws(SystemError) {
            let null = try File.open("/dev/null", O_RDWR)
            let input = streams.contains(.stdin) ? descriptors.next() : nil
            let output = streams.contains(.stdout) ? descriptors.next() : nil
            let errors = streams.contains(.stderr) ? descriptors.next() : nil
            var console: ConsoleSocket?
            if request.terminal {
                console = try ConsoleSocket(
                    directory: directory.descriptor.raw, name: temporaryName("tty"), loop: loop)
            }
            let launch = ExecLaunch(
                container, request, responder, pidFile: temporaryName("pid"), console: console, process: process)
            let numbers = [input.number ?? null.raw, output.number ?? null.raw, errors.number ?? null.raw]
            if let failure = run(launch, request.terminal ? nil : numbers) { responder.fail(failure) }
        } catch {
            throw ShimFailure(.system, "exec in container \(container.id): \(error)")
        }
    }

    private func run(_ launch: ExecLaunch, _ streams: [Int32]?) -> ShimFailure? {
        let container = launch.container
        var arguments = [
            "exec", "--detach", "--process", "/proc/\(getpid())/fd/\(launch.process.raw)",
            "--pid-file", "\(directory.path)/\(launch.pidFile)",
        ]
        if let console = launch.console { arguments += ["--console-socket", console.path] }
        container.execs[launch.exec.id] = launch.exec
        do throws(ShimFailure) {
            try runRuntime(
                arguments + [container.id], streams: streams,
                deadlineMilliseconds: launch.request.deadlineMilliseconds
            ) { [unowned self] outcome in
                switch outcome {
                case .succeeded: started(launch)
                case .failed(let failure, _): execFailed(launch, failure)
                }
            }
            return nil
        } catch {
            container.execs[launch.exec.id] = nil
            return error
        }
    }

    private func started(_ launch: ExecLaunch) {
        guard let pid = takePID(launch.pidFile) else {
            execFailed(launch, ShimFailure(.runtime, "OCI runtime \(options.runtime): exec wrote no process id"))
            return
        }
        launch.exec.pid = pid
        guard let console = launch.console else {
            launch.responder.succeed(Reply(pid: pid))
            claim(pid, .exec(launch.container, launch.exec))
            return
        }
        // Claimed now: nobody else would keep its end once the runtime is done. The answer still comes before the news,
        // except when the terminal takes longer to arrive than the process to end.
        let patience = loop.after(milliseconds: 5000) { [unowned self] in
            Glibc.kill(pid, SIGKILL)
            launch.responder.fail(
                ShimFailure(.runtime, "OCI runtime \(options.runtime): exec sent no terminal"))
            console.close()
        }
        console.whenArrived { [unowned self] in
            loop.cancel(patience)
            guard let master = console.takeMaster() else { return }
            if let size = launch.request.terminalSize {
                // A terminal that can't be resized is still a terminal.
                try? Terminal.resize(master.raw, size)
            }
            launch.responder.succeed(Reply(pid: pid), descriptor: master)
        }
        claim(pid, .exec(launch.container, launch.exec))
    }

    private func execFailed(_ launch: ExecLaunch, _ failure: ShimFailure) {
        launch.console?.close()
        _ = takePID(launch.pidFile)
        launch.container.execs[launch.exec.id] = nil
        launch.responder.fail(failure)
    }
}
