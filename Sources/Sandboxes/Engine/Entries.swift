import CRI
import JSON
import OCISpec
import ShimProtocol

/// A sandbox as the engine knows it.
struct SandboxEntry {
    var record: SandboxRecord
    /// One making, stopping or removing at a time.
    let turnstile = Turnstile()
    var shim: (any PodShim)?
    /// Which connection to the shim it is: what becomes of an earlier one is no news.
    var connection: UInt64 = 0
    /// The pause process has ended (or never ran).
    let ended = Latch()
    /// Set while the sandbox is taken apart: a shim that goes away is then no news.
    var dismantling = false
    /// The CPU time at the last look, for the rate between two looks.
    var lastCPU: CPUSample?
    /// Hooks have heard of it, or would have.
    var hooked: Bool
    /// Hooks have heard of its stop, or would have.
    var stopTold: Bool

    init(_ record: SandboxRecord) {
        self.record = record
        hooked = record.stage != .making
        stopTold = record.stage == .stopped
    }

    /// A sandbox that is being made is nobody's business yet.
    var isVisible: Bool { record.stage != .making }
    var state: CRIPodSandboxState { record.stage == .ready ? .sandboxReady : .sandboxNotready }
}

/// A container as the engine knows it.
struct ContainerEntry {
    var record: ContainerRecord
    /// One starting or removing at a time; stopping needs none.
    let turnstile = Turnstile()
    /// The process has ended.
    let ended = Latch()
    /// Its start is under way and not told yet: nobody hears of its end before.
    var isStarting = false
    /// Its start is being undone: that its process ends is no news then.
    var isTakenBack = false
    /// An end that was heard before it was known whose it is: of this start's process, or of one that was taken back.
    var earlyEnd: ExitRecord?
    /// The process that `exec` starts from; read from the bundle when it is first needed.
    var process: OCISpec.Process?
    /// The CPU time at the last look, for the rate between two looks.
    var lastCPU: CPUSample?
    /// Names for execs.
    var execs: UInt64 = 0
    /// Hooks have heard of it, or would have.
    var hooked: Bool
    /// Hooks are being told, or were told, of its start.
    var startHook: Task<Void, Never>?
    /// Hooks are being told, or were told, of its end.
    var stopHook: Task<Void, Never>?

    init(_ record: ContainerRecord) {
        self.record = record
        hooked = record.stage != .making
    }

    var isVisible: Bool { record.stage != .making && record.stage != .removing }

    static func state(of record: ContainerRecord) -> CRIContainerState {
        switch record.stage {
        case .making, .created, .starting: .containerCreated
        case .running: .containerRunning
        case .exited, .removing: .containerExited
        }
    }
}

/// CPU time used until a moment.
struct CPUSample: Sendable {
    var nanoseconds: Int64
    var usage: UInt64
    /// CPU nanoseconds per second at that moment, as last computed.
    var rate: UInt64
}
