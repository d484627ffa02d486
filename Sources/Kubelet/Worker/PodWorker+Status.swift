import KubeTypes
import Logging

/// Telling what the pod is.
extension PodWorker {
    func currentStatus(_ pod: Pod) -> PodStatus {
        PodStatusBuilder(
            pod: pod, snapshot: snapshot ?? PodSnapshot(), memory: memory, plan: plan,
            nodeAddresses: hands.configuration.nodeAddresses, notDone: notDone, now: clock.now, previous: status,
            startTime: snapshot?.sandboxes.last?.createdAt ?? bornAt, isStopping: wish.isStop
        ).build()
    }

    func publish() {
        guard let pod = wish.pod else { return }
        let before = status
        let new = currentStatus(pod)
        status = new
        if wish.isStop { return }
        let isReady = new.conditions.contains { $0.type == "Ready" && $0.status == .true }
        if isReady != wasReady { hands.report(isReady ? .ready : .unready) }
        wasReady = isReady
        for container in new.initContainerStatuses + new.containerStatuses {
            guard let waiting = container.state.waiting, waiting.reason == "CrashLoopBackOff" else { continue }
            let old = (before.map { $0.initContainerStatuses + $0.containerStatuses } ?? []).first {
                $0.name == container.name
            }
            if old?.state.waiting?.reason != waiting.reason {
                logger.info(
                    "Container waits before its next start",
                    metadata: ["container": "\(container.name)", "message": "\(waiting.message)"])
                hands.report(.failed(container: container.name, reason: waiting.reason, message: waiting.message))
            }
        }
        if new.phase != before?.phase, new.phase == .succeeded || new.phase == .failed {
            memory.isOver = true
            logger.info("Pod has finished", metadata: ["phase": "\(new.phase.rawValue)"])
            hands.report(.finished(phase: new.phase.rawValue))
            Task { [whenFinished] in await whenFinished() }
        }
    }
}
