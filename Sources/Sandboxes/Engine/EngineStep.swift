import Linux

/// The steps of a pod's and a container's life, in the order they are taken; each is named after what has just been done.
///
/// A test makes something go wrong right after any of them (``EngineConfiguration/afterStep``).
public enum EngineStep: String, Sendable, CaseIterable {
    // RunPodSandbox
    case sandboxRecorded = "sandbox recorded"
    case podDirectoryMade = "pod directory made"
    case shimStarted = "shim started"
    case podFilesWritten = "pod files written"
    case pauseCreated = "pause created"
    case pauseStarted = "pause started"
    case networkAttached = "network attached"
    case sandboxReady = "sandbox ready"
    // CreateContainer
    case containerRecorded = "container recorded"
    case rootMounted = "root filesystem mounted"
    case volumesMade = "volumes made"
    case bundleWritten = "bundle written"
    case containerMade = "container made"
    // StartContainer
    case startRecorded = "start recorded"
    case processCreated = "process created"
    case processStarted = "process started"
    // StopContainer
    case stopAsked = "stop asked"
    case processKilled = "process killed"
    // RemoveContainer
    case runtimeDeleted = "runtime state deleted"
    case rootUnmounted = "root filesystem unmounted"
    case snapshotRemoved = "snapshot removed"
    case bundleRemoved = "bundle removed"
    case containerForgotten = "container forgotten"
    // StopPodSandbox
    case containersKilled = "containers killed"
    case pauseEnded = "pause ended"
    case shimEnded = "shim ended"
    case networkDetached = "network detached"
    case sandboxDismantled = "sandbox dismantled"
    // RemovePodSandbox
    case podDirectoryRemoved = "pod directory removed"
    case sandboxForgotten = "sandbox forgotten"
}

extension Engine {
    /// A step has been taken. Nothing but a look at nil, unless a test wants something to go wrong here.
    func reached(_ step: EngineStep) async throws {
        if let after = configuration.afterStep { try await after(step) }
    }

    /// A step of something that is undone when its callers have gone away.
    func reachedOrLeft(_ step: EngineStep) async throws {
        try await reached(step)
        try Task.checkCancellation()
    }
}
