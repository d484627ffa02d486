import KubeTypes
import Testing

@testable import Kubelet

@Suite("The plan for a pod's sandbox") struct SandboxPlannerTests {
    @Test func `a pod that is not there yet gets a sandbox`() {
        #expect(Given.plan(Given.pod()).actions == [.createSandbox(attempt: 0)])
    }

    @Test func `while the sandbox is being made nothing else is planned`() {
        #expect(Given.plan(Given.pod()) { $0.busy = [.sandbox] }.actions.isEmpty)
    }

    @Test func `a sandbox that failed is tried again when its time has come`() {
        let trouble = Trouble(
            reason: "FailedCreatePodSandBox", message: "no address left", retryAt: Given.now + .seconds(5),
            waitingReason: "FailedCreatePodSandBox", backoff: Backoff(at: Given.now))
        let early = Given.plan(Given.pod()) { $0.sandboxTrouble = trouble }
        #expect(early.actions.isEmpty)
        #expect(early.nextLook == Given.now + .seconds(5))
        var due = trouble
        due.retryAt = Given.now
        #expect(Given.plan(Given.pod()) { $0.sandboxTrouble = due }.actions == [.createSandbox(attempt: 0)])
    }

    @Test func `a dead sandbox is stopped before a new one is made`() {
        let plan = Given.plan(Given.pod(), [Given.sandbox(ready: false)], [Given.fact("app", .exited, code: 137)])
        #expect(plan.actions == [.stopSandbox("s0")])
    }

    @Test func `a stopped dead sandbox is followed by the next attempt`() {
        let plan = Given.plan(Given.pod(), [Given.sandbox(attempt: 4, ready: false)], [Given.fact("app", .exited)]) {
            $0.stopped = ["s0"]
        }
        #expect(plan.actions == [.createSandbox(attempt: 5)])
    }

    @Test func `a sandbox that dies as soon as it stands is waited for`() {
        let dead = [Given.sandbox(attempt: 2, ready: false, at: Given.ago(3))]
        let plan = Given.plan(Given.pod(), dead) {
            $0.stopped = ["s0"]
            $0.sandboxRestarts = Backoff(at: Given.ago(3))
        }
        #expect(plan.actions.isEmpty)
        #expect(plan.nextLook == Given.now + .seconds(7))
        let old = [Given.sandbox(attempt: 2, ready: false, at: Given.ago(30))]
        let due = Given.plan(Given.pod(), old) {
            $0.stopped = ["s0"]
            $0.sandboxRestarts = Backoff(at: Given.ago(30))
        }
        #expect(due.actions == [.createSandbox(attempt: 3)])
    }

    @Test func `what still runs in a dead sandbox is killed first`() {
        let plan = Given.plan(Given.pod(), [Given.sandbox(ready: false)], [Given.fact("app", .running)]) {
            $0.stopped = ["s0"]
        }
        #expect(plan.actions == [Given.kill("app0", "app", .sandboxGone)])
    }

    @Test func `a sandbox without an address is unfit`() {
        let plan = Given.plan(Given.pod(), [Given.sandbox(ip: "")])
        #expect(plan.actions == [.stopSandbox("s0")])
    }

    @Test func `a pod on the host's network needs no address`() {
        let pod = Given.pod { $0.spec.hostNetwork = true }
        let plan = Given.plan(pod, [Given.sandbox(ip: "", host: true)])
        #expect(plan.actions == [Given.start("app")])
    }

    @Test func `a sandbox on the wrong network is replaced`() {
        let pod = Given.pod { $0.spec.hostNetwork = true }
        #expect(Given.plan(pod, [Given.sandbox()]).actions == [.stopSandbox("s0")])
    }

    @Test func `of two ready sandboxes the newest is kept and the other one emptied`() {
        let sandboxes = [Given.sandbox("s1", attempt: 1), Given.sandbox("s0")]
        let containers = [
            Given.fact("app", .running, restarts: 1, sandbox: "s1"), Given.fact("app", .running, sandbox: "s0"),
        ]
        let plan = Given.plan(Given.pod(), sandboxes, containers)
        #expect(plan.actions == [Given.kill("app0", "app", .sandboxGone)])
    }

    @Test func `a pod that never restarts and has run gets no second sandbox`() {
        let plan = Given.plan(
            Given.pod(restart: .never), [Given.sandbox(ready: false)], [Given.fact("app", .exited, code: 1)]
        ) { $0.stopped = ["s0"] }
        #expect(plan.actions.isEmpty)
        #expect(plan.isFinished)
    }

    @Test func `a pod that never restarts and never ran gets one`() {
        let plan = Given.plan(Given.pod(restart: .never), [Given.sandbox(ready: false)], [Given.fact("app", .created)])
        {
            $0.stopped = ["s0"]
        }
        #expect(plan.actions.first == .createSandbox(attempt: 1))
    }

    @Test func `a pod whose containers have all succeeded is not started over on failure policy`() {
        let plan = Given.plan(
            Given.pod(restart: .onFailure), [Given.sandbox(ready: false)], [Given.fact("app", .exited)]
        ) {
            $0.stopped = ["s0"]
        }
        #expect(plan.isFinished)
        #expect(plan.actions.isEmpty)
    }

    @Test func `one that failed is started over on failure policy`() {
        let plan = Given.plan(
            Given.pod(restart: .onFailure), [Given.sandbox(ready: false)], [Given.fact("app", .exited, code: 3)]
        ) { $0.stopped = ["s0"] }
        #expect(plan.actions == [.createSandbox(attempt: 1)])
    }

    @Test func `an active deadline ends the pod`() {
        let pod = Given.pod { $0.spec.activeDeadlineSeconds = 60 }
        let plan = Given.plan(pod, [Given.sandbox(at: Given.ago(60))], [Given.fact("app", .running)])
        #expect(plan.actions == [Given.kill("app0", "app", .deadline)])
        #expect(plan.isFinished)
    }

    @Test func `an active deadline to come is looked at in time`() {
        let pod = Given.pod { $0.spec.activeDeadlineSeconds = 60 }
        let plan = Given.plan(pod, [Given.sandbox(at: Given.ago(10))], [Given.fact("app", .running)])
        #expect(plan.actions.isEmpty)
        #expect(plan.nextLook == Given.now + .seconds(50))
    }
}

@Suite("The plan for a pod's containers") struct ContainerPlannerTests {
    private let ready = [Given.sandbox()]

    @Test func `all containers start side by side`() {
        let pod = Given.pod([Given.container("a"), Given.container("b")])
        #expect(Given.plan(pod, ready).actions == [Given.start("a"), Given.start("b")])
    }

    @Test func `a running container is left alone`() {
        let plan = Given.plan(Given.pod(), ready, [Given.fact("app", .running)])
        #expect(plan.actions.isEmpty)
        #expect(plan.nextLook == nil)
        #expect(!plan.isFinished)
    }

    @Test func `a container that a hand works on is left alone`() {
        #expect(Given.plan(Given.pod(), ready) { $0.busy = [.container("app")] }.actions.isEmpty)
    }

    @Test func `a created container is started as it is`() {
        let plan = Given.plan(Given.pod(), ready, [Given.fact("app", .created)])
        #expect(plan.actions == [Given.start("app", created: "app0")])
    }

    @Test func `a created container that could not be started is replaced`() {
        let plan = Given.plan(Given.pod(), ready, [Given.fact("app", .created)]) {
            $0.troubles["app"] = Trouble(
                reason: "RunContainerError", message: "no such file", retryAt: Given.ago(1),
                waitingReason: "RunContainerError", container: "app0", backoff: Backoff(at: Given.now))
        }
        #expect(plan.actions == [Given.start("app", attempt: 1, replaces: "app0")])
    }

    @Test func `trouble is waited out and named`() {
        let plan = Given.plan(Given.pod(), ready) {
            $0.troubles["app"] = Trouble(
                reason: "ErrImagePull", message: "not there", retryAt: Given.now + .seconds(10),
                waitingReason: "ImagePullBackOff", backoff: Backoff(at: Given.now))
        }
        #expect(plan.actions.isEmpty)
        #expect(plan.nextLook == Given.now + .seconds(10))
        #expect(plan.waiting["app"] == Waiting(reason: "ImagePullBackOff", message: "not there"))
    }

    @Test(arguments: [
        (RestartPolicy.always, Int32(0), true), (.always, 1, true), (.onFailure, 0, false), (.onFailure, 2, true),
        (.never, 0, false), (.never, 9, false),
    ]) func `an ended container restarts by its pod's policy`(policy: RestartPolicy, code: Int32, restarts: Bool) {
        let pod = Given.pod([Given.container("app"), Given.container("other")], restart: policy)
        let facts = [Given.fact("app", .exited, code: code, restarts: 2), Given.fact("other", .running)]
        let expected = restarts ? [Given.start("app", attempt: 3, after: Given.ago(1))] : []
        #expect(Given.plan(pod, ready, facts).actions == expected)
    }

    @Test func `the first restart is immediate, the next waits`() {
        var backoff = Backoff(at: Given.ago(3))
        let facts = [Given.fact("app", .exited, code: 1, restarts: 1, ended: Given.ago(2))]
        let first = Given.plan(Given.pod(), ready, facts) { $0.restarts["app"] = backoff }
        #expect(first.actions.isEmpty)
        #expect(first.nextLook == Given.now + .seconds(8))
        #expect(first.waiting["app"]?.reason == "CrashLoopBackOff")
        #expect(
            first.waiting["app"]?.message
                == "back-off 10s restarting failed container=app pod=web-node_default(uid1)")
        backoff.step(since: Given.ago(2), now: Given.ago(2))
        let second = Given.plan(Given.pod(), ready, facts) { $0.restarts["app"] = backoff }
        #expect(second.nextLook == Given.now + .seconds(18))
    }

    @Test func `a wait that is over ends in a restart`() {
        let facts = [Given.fact("app", .exited, code: 1, ended: Given.ago(10))]
        let plan = Given.plan(Given.pod(), ready, facts) { $0.restarts["app"] = Backoff(at: Given.ago(20)) }
        #expect(plan.actions == [Given.start("app", attempt: 1, after: Given.ago(10))])
    }

    @Test func `a container of unknown state is killed before anything else`() {
        let plan = Given.plan(Given.pod(), ready, [Given.fact("app", .unknown)])
        #expect(plan.actions == [Given.kill("app0", "app", .unknownState)])
    }

    @Test func `a changed definition kills whatever the policy says`() {
        let plan = Given.plan(Given.pod(restart: .never), ready, [Given.fact("app", .running, hash: "old")]) {
            $0.definitions["app"] = "new"
        }
        #expect(plan.actions == [Given.kill("app0", "app", .definitionChanged)])
        let after = Given.plan(Given.pod(restart: .never), ready, [Given.fact("app", .exited, hash: "old")]) {
            $0.definitions["app"] = "new"
        }
        #expect(after.actions == [Given.start("app", attempt: 1, after: Given.ago(1))])
    }

    @Test func `the same definition kills nothing`() {
        let plan = Given.plan(Given.pod(), ready, [Given.fact("app", .running, hash: "same")]) {
            $0.definitions["app"] = "same"
        }
        #expect(plan.actions.isEmpty)
    }

    @Test func `a failed liveness probe kills with its own grace`() {
        let probe = Probe(terminationGracePeriodSeconds: 7)
        let pod = Given.pod([Given.container("app") { $0.livenessProbe = probe }])
        let plan = Given.plan(pod, ready, [Given.fact("app", .running)]) {
            $0.probes["app0"] = ProbeVerdicts(liveness: false, livenessMessage: "statuscode: 500")
        }
        #expect(plan.actions == [Given.kill("app0", "app", .liveness("statuscode: 500"), grace: 7)])
    }

    @Test func `a failed startup probe kills`() {
        let plan = Given.plan(Given.pod(), ready, [Given.fact("app", .running)]) {
            $0.probes["app0"] = ProbeVerdicts(startup: false)
        }
        #expect(plan.actions == [Given.kill("app0", "app", .startup(""))])
    }

    @Test func `a failed readiness probe kills nothing`() {
        let plan = Given.plan(Given.pod(), ready, [Given.fact("app", .running)]) {
            $0.probes["app0"] = ProbeVerdicts(readiness: false)
        }
        #expect(plan.actions.isEmpty)
    }

    @Test func `when nothing is left to run the sandbox stops and the remains stay`() {
        let plan = Given.plan(Given.pod(restart: .never), ready, [Given.fact("app", .exited)])
        #expect(plan.isFinished)
        #expect(plan.actions == [.stopSandbox("s0")])
    }

    @Test func `in a new sandbox a container that had succeeded stays down on failure policy`() {
        let pod = Given.pod([Given.container("a"), Given.container("b")], restart: .onFailure)
        let plan = Given.plan(
            pod, [Given.sandbox("s1", attempt: 1), Given.sandbox("s0", ready: false)],
            [Given.fact("a", .exited, code: 0), Given.fact("b", .exited, code: 1)])
        #expect(plan.actions == [Given.start("b", attempt: 1, sandbox: "s1", after: Given.ago(1))])
    }

    @Test func `in a new sandbox restart counts go on`() {
        let plan = Given.plan(
            Given.pod(), [Given.sandbox("s1", attempt: 1), Given.sandbox("s0", ready: false)],
            [Given.fact("app", .exited, code: 137, restarts: 6)])
        #expect(plan.actions == [Given.start("app", attempt: 7, sandbox: "s1", after: Given.ago(1))])
    }

    @Test func `of the dead the newest one stays`() {
        let facts = [
            Given.fact("app", .running, restarts: 3), Given.fact("app", .exited, restarts: 2),
            Given.fact("app", .exited, restarts: 1), Given.fact("app", .exited, restarts: 0),
        ]
        #expect(Given.plan(Given.pod(), ready, facts).actions == [.remove(containers: ["app1", "app0"])])
    }

    @Test func `when the newest has died the one before it stays for its log`() {
        let facts = [
            Given.fact("app", .exited, restarts: 2), Given.fact("app", .exited, restarts: 1),
            Given.fact("app", .exited, restarts: 0),
        ]
        let actions = Given.plan(Given.pod(), ready, facts).actions
        #expect(actions.contains(.remove(containers: ["app0"])))
    }

    @Test func `an old sandbox goes when it is empty`() {
        let sandboxes = [Given.sandbox("s1", attempt: 1), Given.sandbox("s0", ready: false)]
        let facts = [
            Given.fact("app", .running, restarts: 2, sandbox: "s1"),
            Given.fact("app", .exited, restarts: 1, sandbox: "s1"),
        ]
        #expect(Given.plan(Given.pod(), sandboxes, facts).actions == [.removeSandbox("s0")])
        let held = facts.dropLast() + [Given.fact("app", .exited, restarts: 1, sandbox: "s0")]
        #expect(Given.plan(Given.pod(), sandboxes, Array(held)).actions.isEmpty)
    }
}

@Suite("The plan for init containers and sidecars") struct InitPlannerTests {
    private let ready = [Given.sandbox()]
    private let inits = [Given.container("one"), Given.container("two")]

    @Test func `the first init container starts alone`() {
        #expect(Given.plan(Given.pod(inits: inits), ready).actions == [Given.start("one")])
    }

    @Test func `the second waits for the first`() {
        #expect(Given.plan(Given.pod(inits: inits), ready, [Given.fact("one", .running)]).actions.isEmpty)
    }

    @Test func `the second follows the first's success`() {
        let plan = Given.plan(Given.pod(inits: inits), ready, [Given.fact("one", .exited)])
        #expect(plan.actions == [Given.start("two")])
    }

    @Test func `the containers follow the last init container`() {
        let plan = Given.plan(Given.pod(inits: inits), ready, [Given.fact("two", .exited), Given.fact("one", .exited)])
        #expect(plan.actions == [Given.start("app")])
    }

    @Test func `a failed init container is tried again`() {
        let plan = Given.plan(Given.pod(inits: inits), ready, [Given.fact("one", .exited, code: 1)])
        #expect(plan.actions == [Given.start("one", attempt: 1, after: Given.ago(1))])
    }

    @Test func `a failed init container ends a pod that never restarts`() {
        let plan = Given.plan(Given.pod(inits: inits, restart: .never), ready, [Given.fact("one", .exited, code: 1)])
        #expect(plan.isFinished)
        #expect(plan.actions == [.stopSandbox("s0")])
    }

    @Test func `an init container whose remains are gone doesn't run again behind a later one`() {
        #expect(Given.plan(Given.pod(inits: inits), ready, [Given.fact("two", .running)]).actions.isEmpty)
        #expect(Given.plan(Given.pod(inits: inits), ready, [Given.fact("app", .running)]).actions.isEmpty)
    }

    @Test func `in a new sandbox the init containers run again`() {
        let plan = Given.plan(
            Given.pod(inits: inits), [Given.sandbox("s1", attempt: 1), Given.sandbox("s0", ready: false)],
            [Given.fact("app", .exited), Given.fact("two", .exited), Given.fact("one", .exited)])
        #expect(plan.actions == [Given.start("one", attempt: 1, sandbox: "s1", after: Given.ago(1))])
    }

    @Test func `a sidecar must be up before the next one starts`() {
        let pod = Given.pod(inits: [Given.sidecar("proxy"), Given.container("two")])
        #expect(Given.plan(pod, ready).actions == [Given.start("proxy")])
        #expect(Given.plan(pod, ready, [Given.fact("proxy", .running)]).actions == [Given.start("two")])
    }

    @Test func `a sidecar with a startup probe must pass it first`() {
        var sidecar = Given.sidecar("proxy")
        sidecar.startupProbe = Probe(exec: ExecAction(command: ["true"]))
        let pod = Given.pod(inits: [sidecar])
        #expect(Given.plan(pod, ready, [Given.fact("proxy", .running)]).actions.isEmpty)
        let passed = Given.plan(pod, ready, [Given.fact("proxy", .running)]) {
            $0.probes["proxy0"] = ProbeVerdicts(startup: true)
        }
        #expect(passed.actions == [Given.start("app")])
    }

    @Test func `a sidecar that ends is started again beside the running containers`() {
        let pod = Given.pod(inits: [Given.sidecar("proxy")], restart: .never)
        let plan = Given.plan(pod, ready, [Given.fact("app", .running), Given.fact("proxy", .exited)])
        #expect(plan.actions == [Given.start("proxy", attempt: 1, after: Given.ago(1))])
    }

    @Test func `sidecars end after the containers`() {
        let pod = Given.pod(inits: [Given.sidecar("proxy")], restart: .never)
        let plan = Given.plan(pod, ready, [Given.fact("app", .exited), Given.fact("proxy", .running)])
        #expect(plan.isFinished)
        #expect(plan.actions == [Given.kill("proxy0", "proxy", .podFinished)])
    }
}

@Suite("The plan for a pod that ends") struct StopPlannerTests {
    @Test func `all containers are stopped at once`() {
        let pod = Given.pod([Given.container("a"), Given.container("b")])
        let plan = Given.stop(pod, [Given.sandbox()], [Given.fact("a", .running), Given.fact("b", .running)])
        #expect(plan.actions == [Given.kill("a0", "a", .podStopped), Given.kill("b0", "b", .podStopped)])
    }

    @Test func `sidecars follow from the last to the first`() {
        let pod = Given.pod(inits: [Given.sidecar("one"), Given.sidecar("two")])
        let all = [Given.fact("app", .running), Given.fact("one", .running), Given.fact("two", .running)]
        #expect(Given.stop(pod, [Given.sandbox()], all).actions == [Given.kill("app0", "app", .podStopped)])
        #expect(
            Given.stop(pod, [Given.sandbox()], Array(all.dropFirst())).actions == [
                Given.kill("two0", "two", .podStopped)
            ])
        #expect(Given.stop(pod, [Given.sandbox()], [all[1]]).actions == [Given.kill("one0", "one", .podStopped)])
    }

    @Test func `a stop under way is waited for`() {
        let plan = Given.stop(Given.pod(), [Given.sandbox()], [Given.fact("app", .running)]) {
            $0.busy = [.container("app")]
        }
        #expect(plan.actions.isEmpty)
    }

    @Test func `the sandbox stops when its containers have`() {
        let plan = Given.stop(Given.pod(), [Given.sandbox()], [Given.fact("app", .exited)])
        #expect(plan.actions == [.stopSandbox("s0")])
    }

    @Test func `then the containers go, then the sandbox, then the rest`() {
        let dead = [Given.sandbox(ready: false)]
        let stopped: (inout PodMemory) -> Void = { $0.stopped = ["s0"] }
        #expect(
            Given.stop(Given.pod(), dead, [Given.fact("app", .exited)], stopped).actions
                == [.remove(containers: ["app0"])])
        #expect(Given.stop(Given.pod(), dead, [], stopped).actions == [.removeSandbox("s0")])
        #expect(Given.stop(Given.pod(), [], [], stopped).actions == [.finish])
    }

    @Test func `an orphan without a manifest ends the same way`() {
        let plan = Given.stop(nil, [Given.sandbox()], [Given.fact("app", .running)])
        #expect(plan.actions == [Given.kill("app0", "app", .podStopped)])
    }

    @Test func `nothing is finished while a hand is busy`() {
        #expect(Given.stop(Given.pod()) { $0.busy = [.sandbox] }.actions.isEmpty)
    }
}

@Suite("The back-off") struct BackoffTests {
    @Test func `it doubles from ten seconds to five minutes`() {
        var backoff: Backoff?
        var now = Given.now
        var delays: [Duration] = []
        for _ in 0..<7 {
            backoff.step(since: now, now: now)
            delays.append(backoff?.delay ?? .zero)
            now = now + .seconds(1)
        }
        #expect(delays == [10, 20, 40, 80, 160, 300, 300].map { Duration.seconds($0) })
    }

    @Test func `ten quiet minutes start it over`() {
        var backoff = Backoff(at: Given.now)
        backoff.step(since: Given.now, now: Given.now)
        let later = Given.now + .seconds(601)
        #expect(backoff.end(since: later) == later)
        backoff.step(since: later, now: later)
        #expect(backoff.delay == .seconds(10))
    }
}
