import Dispatch
import Glibc
import Linux
import ShimProtocol

/// Runs `kubesim-shim start` to its end without blocking a cooperative thread. All of it happens on one serial queue, which
/// is what makes it safe to share.
final class ShimStarter: @unchecked Sendable {
    private static let queue = DispatchQueue(label: "kubesim.shim-start")

    private let launch: ShimLaunch
    private var waiter: CheckedContinuation<Result<Void, ShimFailure>, Never>?
    private var errors: Descriptor?
    private var child: Spawn.Child?
    private var watch: ReadWatch?
    private var text: [UInt8] = []
    private var isLate = false

    private init(_ launch: ShimLaunch, _ waiter: CheckedContinuation<Result<Void, ShimFailure>, Never>) {
        self.launch = launch
        self.waiter = waiter
    }

    /// Returns when the shim serves.
    static func run(_ launch: ShimLaunch) async throws(ShimFailure) {
        let result: Result<Void, ShimFailure> = await withCheckedContinuation { waiter in
            let starter = ShimStarter(launch, waiter)
            queue.async { starter.begin() }
        }
        try result.get()
    }

    private func begin() {
        do throws(SystemError) {
            var pipe = try Pipe()
            let null = try File.open("/dev/null", O_RDWR)
            var arguments = [
                launch.program, "start", "--id", launch.sandbox, "--dir", launch.directory,
                "--runtime", launch.runtime, "--runtime-root", launch.runtimeRoot,
            ]
            if let path = launch.networkNamespace { arguments += ["--netns", path] }
            if let user = launch.userNamespace {
                func text(_ ranges: [ShimUserNamespace.Range]) -> String {
                    ranges.map { "\($0.inside):\($0.outside):\($0.count)" }.joined(separator: ",")
                }
                arguments += ["--userns", user.path, "--uid-map", text(user.uids), "--gid-map", text(user.gids)]
            }
            if launch.systemdCgroup { arguments += ["--cgroups", "systemd"] }
            var spawn = Spawn(launch.program, arguments)
            spawn.descriptors = [null.raw, null.raw, pipe.writing]
            spawn.newSession = true
            child = try spawn.start()
            let reading = Descriptor(owning: pipe.takeReading())
            try reading.setNonBlocking(true)
            // Ends when the starting process has: the shim itself turns its standard error away.
            let number = reading.raw
            errors = consume reading
            watch = try ReadWatch(
                number, ready: { Self.queue.sync { self.read() } }, ended: { Self.queue.async { self.errors = nil } })
        } catch {
            // One that was started but can't be listened to is not left to itself.
            signal(SIGKILL)
            _ = reap()
            finish(.failure(ShimFailure(.notStarted, "start of the shim for \(launch.sandbox): \(error)")))
            return
        }
        let milliseconds = launch.deadline.components.seconds * 1000
        Self.queue.asyncAfter(deadline: .now() + .milliseconds(Int(min(max(milliseconds, 100), 3_600_000)))) {
            guard self.waiter != nil else { return }
            self.isLate = true
            // Its end closes the pipe, and with that this run.
            self.signal(SIGKILL)
        }
    }

    private func read() {
        let ended = withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { room -> Bool in
            while true {
                guard let count = pull(room) else { return false }
                if count == 0 { return true }
                if text.count < 8192 { text.append(contentsOf: UnsafeRawBufferPointer(rebasing: room[..<count])) }
            }
        }
        guard ended else { return }
        let status = reap()
        if isLate {
            finish(
                .failure(
                    ShimFailure(.notStarted, "the shim of \(launch.sandbox) did not start within \(launch.deadline)")))
        } else if status == .exited(code: 0) {
            finish(.success(()))
        } else {
            var said = String(decoding: text, as: UTF8.self).split(separator: "\n").last.map(String.init) ?? ""
            if said.isEmpty { said = "it ended with code \(status?.shellCode ?? -1) and said nothing" }
            finish(.failure(ShimFailure(.notStarted, "start of the shim for \(launch.sandbox): \(said)")))
        }
    }

    private func finish(_ result: Result<Void, ShimFailure>) {
        // The descriptor outlives the last look at it: it is closed when the watch has ended.
        watch?.cancel()
        watch = nil
        waiter?.resume(returning: result)
        waiter = nil
    }

    /// How many bytes came; nil when none are there yet.
    private func pull(_ room: UnsafeMutableRawBufferPointer) -> Int? {
        switch errors {
        case .some(let descriptor):
            // Anything but "not yet" is as good as the end: the exit code tells the rest.
            do throws(SystemError) { return try descriptor.read(into: room) } catch {
                return error.errno == .again ? nil : 0
            }
        case .none: return 0
        }
    }

    private func reap() -> ExitStatus? {
        switch child {
        // It has closed its last descriptor: this waits for microseconds.
        case .some(let process): try? process.pidfd.wait()
        case .none: nil
        }
    }

    private func signal(_ number: Int32) {
        switch child {
        case .some(let process): try? process.pidfd.signal(number)
        case .none: break
        }
    }
}
