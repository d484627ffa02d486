import Glibc
import JSON
import Linux
import ShimProtocol

extension ShimServer {
    /// Does what a client asks; the answer may come later.
    func handle(_ request: Request, _ descriptors: inout PassedDescriptors, _ responder: Responder) {
        do throws(ShimFailure) {
            switch request {
            case .info(let after): responder.succeed(info(after: after))
            case .subscribe:
                responder.client?.isSubscribed = true
                responder.succeed()
            case .create(let create): try self.create(create, responder)
            case .start(let id, let deadline): try start(id, deadlineMilliseconds: deadline, responder)
            case .kill(let kill): try self.kill(kill, responder)
            case .delete(let id, let force, let deadline):
                try delete(id, force: force, PendingDeletion(responder: responder, deadlineMilliseconds: deadline))
            case .exec(let exec, let streams): try self.exec(exec, streams, &descriptors, responder)
            case .attach(let id, let streams):
                try attach(container(id), streams, &descriptors)
                responder.succeed()
            case .resize(let id, let size):
                guard let terminal = try container(id).terminal.number else {
                    throw ShimFailure(.invalid, "container \(id) has no terminal")
                }
                try Terminal.resize(terminal, size)
                responder.succeed()
            case .closeStdin(let id):
                let container = try container(id)
                // A terminal has no end of input but the one that is typed.
                if !container.request.terminal { container.input?.closeAfterRest() }
                responder.succeed()
            case .reopenLog(let id):
                try container(id).log?.reopen()
                responder.succeed()
            case .shutdown: try shutdown(responder)
            }
        } catch {
            responder.fail(error)
        }
    }

    /// The container of that name.
    func container(_ id: String) throws(ShimFailure) -> PodContainer {
        guard let container = containers[id] else { throw ShimFailure(.notFound, "no container \(id) in this shim") }
        return container
    }

    private func info(after: String?) -> Reply {
        var page = ShimInfo(
            sandbox: options.sandbox, pid: getpid(), version: Self.version,
            networkNamespace: options.networkNamespace)
        var bytes = 0
        for id in containers.keys.sorted() where after.map({ id > $0 }) ?? true {
            guard let container = containers[id] else { continue }
            let next = container.info
            bytes += next.encoded().count
            // Each container fits (see ContainerExec), so that every page brings at least one.
            if bytes > ShimLimits.frameBytes - 4096, !page.containers.isEmpty { return Reply(info: page, more: true) }
            page.containers.append(next)
        }
        return Reply(info: page)
    }

    private func shutdown(_ responder: Responder) throws(ShimFailure) {
        guard containers.isEmpty else {
            throw ShimFailure(
                .wrongStage,
                "the shim still holds \(containers.keys.sorted().joined(separator: ", ")): delete them first")
        }
        directory.clear()
        responder.succeed()
        loop.stop()
    }
}

/// Sizes of terminals (ioctl_tty(2)).
enum Terminal {
    static func resize(_ descriptor: Int32, _ size: TerminalSize) throws(ShimFailure) {
        var window = winsize(ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0)
        guard ioctl(descriptor, UInt(TIOCSWINSZ), &window) == 0 else {
            throw ShimFailure(.system, "resize of a terminal: \(Errno.current)")
        }
    }
}
