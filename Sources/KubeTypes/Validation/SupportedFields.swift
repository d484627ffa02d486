/// What this kubelet does with each field: the one list to change when it learns another.
///
/// One line a type, then words:
/// - `field`: done.
/// - `field=a,b`: done for these values; any other is reported.
/// - `field[a,b]`: a map that is done for these keys; any other is reported.
/// - `~field`: taken without a word, because it matters only to what isn't on a standalone node (scheduler, API server,
///   garbage collector) and upstream's kubelet leaves it alone in a static pod too.
///
/// A field that isn't here, and is set to something other than `false`, an empty value or null, is reported by its path.
enum SupportedFields {
    static let table = """
        Pod apiVersion kind metadata spec ~status
        ObjectMeta name namespace uid labels annotations ~creationTimestamp ~deletionGracePeriodSeconds
        ObjectMeta ~deletionTimestamp ~finalizers ~generateName ~generation ~managedFields ~ownerReferences
        ObjectMeta ~resourceVersion ~selfLink

        PodSpec containers initContainers volumes restartPolicy terminationGracePeriodSeconds activeDeadlineSeconds
        PodSpec hostNetwork hostPID hostIPC hostUsers=true shareProcessNamespace hostname subdomain hostAliases
        PodSpec dnsPolicy dnsConfig securityContext os hostnameOverride readinessGates
        PodSpec ~nodeName ~schedulerName ~tolerations ~topologySpreadConstraints ~priority
        PodSpec ~priorityClassName ~preemptionPolicy ~schedulingGates ~schedulingGroup ~enableServiceLinks
        PodSpec ~automountServiceAccountToken

        PodOS name
        PodReadinessGate conditionType
        HostAlias ip hostnames
        PodDNSConfig nameservers searches options
        PodDNSConfigOption name value

        Container name image command args env workingDir ports resources securityContext volumeMounts imagePullPolicy
        Container livenessProbe readinessProbe startupProbe lifecycle restartPolicy=Always tty stdin stdinOnce
        Container terminationMessagePath terminationMessagePolicy ~resizePolicy
        ContainerPort name containerPort protocol hostPort hostIP
        ResourceRequirements limits[cpu,memory] requests
        VolumeMount name mountPath readOnly subPath subPathExpr mountPropagation recursiveReadOnly=Disabled,Enabled

        EnvVar name value valueFrom
        EnvVarSource fieldRef resourceFieldRef
        ObjectFieldSelector apiVersion fieldPath
        ResourceFieldSelector containerName resource divisor

        Probe exec httpGet tcpSocket initialDelaySeconds timeoutSeconds periodSeconds successThreshold failureThreshold
        Probe terminationGracePeriodSeconds
        ExecAction command
        HTTPGetAction host path port scheme httpHeaders
        HTTPHeader name value
        TCPSocketAction host port
        Lifecycle postStart preStop stopSignal
        LifecycleHandler exec httpGet sleep
        SleepAction seconds

        SecurityContext runAsUser runAsGroup runAsNonRoot privileged capabilities readOnlyRootFilesystem
        SecurityContext allowPrivilegeEscalation seccompProfile appArmorProfile procMount
        PodSecurityContext runAsUser runAsGroup runAsNonRoot supplementalGroups supplementalGroupsPolicy fsGroup
        PodSecurityContext fsGroupChangePolicy seccompProfile appArmorProfile sysctls
        Capabilities add drop
        SeccompProfile type localhostProfile
        AppArmorProfile type=Unconfined
        Sysctl name value

        Volume name emptyDir hostPath
        EmptyDirVolumeSource medium=Memory sizeLimit
        HostPathVolumeSource path type
        """
    /// What is done for an init container, where it makes a sidecar, but not for a container.
    static let onlyInInitContainers: Set<String> = ["restartPolicy"]

    /// What is done only beside another field of the same object: by type and field, that other field.
    ///
    /// The kernel keeps a tmpfs to its size; nothing keeps a directory on a disk to one.
    static let onlyBeside: [String: [String: String]] = ["EmptyDirVolumeSource": ["sizeLimit": "medium"]]
}
