import CRI
import KubeTypes
import Linux
import Logging

/// What every step of one pod needs; the steps themselves are in the extensions, a file each.
///
/// A step has no choice left to make: it walks what the plan says over the CRI and the pod's own files.
struct PodHands: Sendable {
    let configuration: KubeletConfiguration
    let runtime: any RuntimeService
    let images: ImageDesk
    let hooks: any HookRunner
    let cgroups: any PodCgroups
    let node: NodeFacts
    let gate: StartGate
    let clock: any NodeClock
    let logger: Logger
    let paths: PodPaths
    let report: @Sendable (PodProgress.Step) -> Void

    /// The sandbox's configuration; its cgroup parent is what the runtime's driver understands.
    func sandboxConfig(_ pod: Pod, attempt: UInt32) -> CRIPodSandboxConfig {
        SandboxConfig.build(
            pod, attempt: attempt, dns: dns(pod), logDirectory: paths.logs, cgroupParent: cgroups.parent(of: pod))
    }

    private func dns(_ pod: Pod) -> PodDNS {
        var host = PodDNS(resolverFile: "")
        if !configuration.resolverFile.isEmpty {
            do {
                host = PodDNS(resolverFile: try File.readText(configuration.resolverFile, limit: 1 << 20))
            } catch {
                logger.warning("The node's resolver file can't be read", metadata: ["error": "\(error)"])
            }
        }
        return PodDNS.plan(
            pod, host: host, clusterDNS: configuration.clusterDNS, clusterDomain: configuration.clusterDomain)
    }
}

/// The pod-level cgroups.
protocol PodCgroups: Sendable {
    /// What the CRI is told as `cgroup_parent`.
    func parent(of pod: Pod) -> String
    /// Makes it, with the pod's limits; one that is there already is success.
    func make(_ pod: Pod) throws
    /// Takes it away with whatever still runs in it; one that isn't there is success.
    func remove(uid: String) async throws
}
