import CRI
import KubeTypes
import SwiftProtobuf

/// Pod and container security contexts, merged and put into the CRI's words as upstream does.
enum SecurityContexts {
    /// Paths that a container may not see, unless `procMount: Unmasked` or privileged (upstream's defaults).
    static let maskedPaths = [
        "/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
        "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
    ]
    /// Paths that a container may not change.
    static let readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]

    /// The container's context with the pod's where it says nothing.
    static func effective(_ container: Container, _ pod: Pod) -> SecurityContext {
        var merged = container.securityContext ?? SecurityContext()
        let whole = pod.spec.securityContext
        merged.runAsUser = merged.runAsUser ?? whole?.runAsUser
        merged.runAsGroup = merged.runAsGroup ?? whole?.runAsGroup
        merged.runAsNonRoot = merged.runAsNonRoot ?? whole?.runAsNonRoot
        merged.seLinuxOptions = merged.seLinuxOptions ?? whole?.seLinuxOptions
        merged.seccompProfile = merged.seccompProfile ?? whole?.seccompProfile
        merged.appArmorProfile = merged.appArmorProfile ?? whole?.appArmorProfile
        return merged
    }

    static func sandbox(_ pod: Pod) -> CRILinuxSandboxSecurityContext {
        var context = CRILinuxSandboxSecurityContext()
        context.namespaceOptions = namespaces(pod)
        context.privileged = pod.allContainers.contains { $0.securityContext?.privileged == true }
        // The sandbox's own process is ours: it runs under the default filter, as upstream asks for it.
        var seccomp = CRISecurityProfile()
        seccomp.profileType = .runtimeDefault
        context.seccomp = seccomp
        guard let whole = pod.spec.securityContext else { return context }
        if let user = whole.runAsUser { context.runAsUser = CRIInt64Value.with { $0.value = user } }
        if let group = whole.runAsGroup, whole.runAsUser != nil {
            context.runAsGroup = CRIInt64Value.with { $0.value = group }
        }
        context.supplementalGroups = groups(whole)
        if whole.supplementalGroupsPolicy == "Strict" { context.supplementalGroupsPolicy = .strict }
        if let options = whole.seLinuxOptions { context.selinuxOptions = seLinux(options) }
        return context
    }

    static func container(_ container: Container, _ pod: Pod, image: ImageUser) -> CRILinuxContainerSecurityContext {
        let effective = effective(container, pod)
        var context = CRILinuxContainerSecurityContext()
        context.namespaceOptions = namespaces(pod)
        context.privileged = effective.privileged ?? false
        context.readonlyRootfs = effective.readOnlyRootFilesystem ?? false
        context.noNewPrivs = effective.allowPrivilegeEscalation == false
        if let user = effective.runAsUser {
            context.runAsUser = CRIInt64Value.with { $0.value = user }
        } else if let user = image.uid {
            context.runAsUser = CRIInt64Value.with { $0.value = user }
        } else if !image.name.isEmpty {
            context.runAsUsername = image.name
        }
        if let group = effective.runAsGroup { context.runAsGroup = CRIInt64Value.with { $0.value = group } }
        if let whole = pod.spec.securityContext {
            context.supplementalGroups = groups(whole)
            if whole.supplementalGroupsPolicy == "Strict" { context.supplementalGroupsPolicy = .strict }
        }
        if let asked = effective.capabilities {
            context.capabilities = CRICapability.with {
                $0.addCapabilities = asked.add
                $0.dropCapabilities = asked.drop
            }
        }
        context.seccomp = seccomp(effective)
        if let profile = effective.appArmorProfile { context.apparmor = appArmor(profile) }
        if let options = effective.seLinuxOptions { context.selinuxOptions = seLinux(options) }
        if effective.privileged != true, effective.procMount != .unmasked {
            context.maskedPaths = maskedPaths
            context.readonlyPaths = readonlyPaths
        }
        return context
    }

    static func namespaces(_ pod: Pod) -> CRINamespaceOption {
        var option = CRINamespaceOption()
        option.network = pod.spec.hostNetwork ? .node : .pod
        option.ipc = pod.spec.hostIPC ? .node : .pod
        option.pid = pod.spec.hostPID ? .node : pod.spec.shareProcessNamespace == true ? .pod : .container
        return option
    }

    /// What stands in the way of `runAsNonRoot`, in upstream's words.
    static func nonRootViolation(_ container: Container, _ pod: Pod, image: ImageUser) -> String? {
        let effective = effective(container, pod)
        guard effective.runAsNonRoot == true else { return nil }
        let place =
            "(pod: \"\(pod.metadata.name)_\(pod.metadata.namespace)(\(pod.metadata.uid))\", "
            + "container: \(container.name))"
        if let user = effective.runAsUser {
            return user == 0 ? "container's runAsUser breaks non-root policy \(place)" : nil
        }
        if let user = image.uid {
            return user == 0 ? "container has runAsNonRoot and image will run as root \(place)" : nil
        }
        if image.name.isEmpty { return "container has runAsNonRoot and image will run as root \(place)" }
        return "container has runAsNonRoot and image has non-numeric user (\(image.name)), "
            + "cannot verify user is non-root \(place)"
    }

    private static func groups(_ whole: PodSecurityContext) -> [Int64] {
        (whole.fsGroup.map { [$0] } ?? []) + whole.supplementalGroups
    }

    private static func seccomp(_ context: SecurityContext) -> CRISecurityProfile {
        var profile = CRISecurityProfile()
        switch context.seccompProfile?.type {
        case .runtimeDefault?: profile.profileType = .runtimeDefault
        case .localhost?:
            profile.profileType = .localhost
            profile.localhostRef = context.seccompProfile?.localhostProfile ?? ""
        default: profile.profileType = .unconfined
        }
        if context.privileged == true { profile = CRISecurityProfile.with { $0.profileType = .unconfined } }
        return profile
    }

    private static func appArmor(_ asked: AppArmorProfile) -> CRISecurityProfile {
        var profile = CRISecurityProfile()
        switch asked.type {
        case .unconfined: profile.profileType = .unconfined
        case .localhost:
            profile.profileType = .localhost
            profile.localhostRef = asked.localhostProfile ?? ""
        default: profile.profileType = .runtimeDefault
        }
        return profile
    }

    private static func seLinux(_ options: SELinuxOptions) -> CRISELinuxOption {
        CRISELinuxOption.with {
            $0.user = options.user
            $0.role = options.role
            $0.type = options.type
            $0.level = options.level
        }
    }
}

/// Who an image's process runs as when nobody says otherwise.
struct ImageUser: Sendable, Hashable {
    var uid: Int64?
    var name = ""
}
