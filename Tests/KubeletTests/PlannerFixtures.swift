import KubeTypes

@testable import Kubelet

/// Short words for the planner's tables.
enum Given {
    static let now = WallTime(nanoseconds: 1_700_000_000_000_000_000)

    static func ago(_ seconds: Int64) -> WallTime { now + .seconds(-seconds) }

    static func pod(
        _ containers: [Container] = [Container(name: "app", image: "busybox")], inits: [Container] = [],
        restart: RestartPolicy = .always, _ change: (inout Pod) -> Void = { _ in }
    ) -> Pod {
        var pod = Pod()
        pod.metadata.name = "web-node"
        pod.metadata.namespace = "default"
        pod.metadata.uid = "uid1"
        pod.spec.containers = containers
        pod.spec.initContainers = inits
        pod.spec.restartPolicy = restart
        change(&pod)
        return pod
    }

    static func container(_ name: String, _ change: (inout Container) -> Void = { _ in }) -> Container {
        var container = Container(name: name, image: "busybox")
        change(&container)
        return container
    }

    static func sidecar(_ name: String) -> Container { container(name) { $0.restartPolicy = .always } }

    static func sandbox(
        _ id: String = "s0", attempt: UInt32 = 0, ready: Bool = true, ip: String = "10.0.0.1", host: Bool = false,
        at time: WallTime = ago(100)
    ) -> SandboxFact {
        SandboxFact(
            id: id, attempt: attempt, isReady: ready, createdAt: time, hostNetwork: host,
            addresses: ip.isEmpty ? [] : [ip])
    }

    static func fact(
        _ name: String, _ state: ContainerFact.State, code: Int32 = 0, restarts: Int = 0, sandbox: String = "s0",
        ended: WallTime = ago(1), id: String? = nil, hash: String = ""
    ) -> ContainerFact {
        ContainerFact(
            id: id ?? "\(name)\(restarts)", sandbox: sandbox, name: name, restartCount: restarts, state: state,
            createdAt: ago(90), startedAt: ago(90), finishedAt: ended, exitCode: code, reason: "", message: "",
            image: "", imageID: "", hash: hash, logPath: "", labels: [:], annotations: [:])
    }

    static func plan(
        _ pod: Pod, _ sandboxes: [SandboxFact] = [], _ containers: [ContainerFact] = [],
        _ change: (inout PodMemory) -> Void = { _ in }
    ) -> PodPlan {
        var memory = PodMemory()
        change(&memory)
        return PodPlanner.plan(
            .run(pod), PodSnapshot(sandboxes: sandboxes, containers: containers), memory, now: now)
    }

    static func stop(
        _ pod: Pod?, _ sandboxes: [SandboxFact] = [], _ containers: [ContainerFact] = [],
        _ change: (inout PodMemory) -> Void = { _ in }
    ) -> PodPlan {
        var memory = PodMemory()
        change(&memory)
        return PodPlanner.plan(
            .stop(pod, graceSeconds: nil), PodSnapshot(sandboxes: sandboxes, containers: containers), memory, now: now)
    }

    static func start(
        _ name: String, attempt: Int = 0, sandbox: String = "s0", created: String? = nil, replaces: String? = nil,
        after end: WallTime? = nil
    ) -> PodAction {
        .start(
            StartOrder(
                name: name, sandbox: sandbox, attempt: attempt, created: created, replaces: replaces, previousEnd: end))
    }

    static func kill(_ id: String, _ name: String, _ why: KillOrder.Why, grace: Int64? = nil) -> PodAction {
        .kill(KillOrder(id: id, name: name, why: why, graceSeconds: grace))
    }
}
