import CRI

/// The fields of every message that is printed, in the order of their numbers.
///
/// JSON with the default values in it, as crictl prints it, needs to know what a message *could* hold, and generated
/// Swift messages don't say. A line is a message: its name, then `field:kind`, where the kind is `s` string, `b` bool,
/// `i` a number of 32 bits, `l` one of 64 (a string in JSON), `d` a double, `y` bytes, `.Name` a message, `@NAME` an
/// enum whose zero is NAME; before it `*` for a list, `%` for a map of strings. Made from Proto/runtime.v1.proto, with
/// which a test compares it.
let messageShapes = """
    Mount container_path:s host_path:s readonly:b selinux_relabel:b propagation:@PROPAGATION_PRIVATE \
        uidMappings:*.IDMapping gidMappings:*.IDMapping recursive_read_only:b image:.ImageSpec \
        image_sub_path:s
    IDMapping host_id:i container_id:i length:i
    UserNamespace mode:@POD uids:*.IDMapping gids:*.IDMapping
    NamespaceOption network:@POD pid:@POD ipc:@POD target_id:s userns_options:.UserNamespace
    Int64Value value:l
    PodSandboxMetadata name:s uid:s namespace:s attempt:i
    PodIP ip:s
    PodSandboxNetworkStatus ip:s additional_ips:*.PodIP
    Namespace options:.NamespaceOption
    LinuxPodSandboxStatus namespaces:.Namespace
    PodSandboxStatus id:s metadata:.PodSandboxMetadata state:@SANDBOX_READY created_at:l \
        network:.PodSandboxNetworkStatus linux:.LinuxPodSandboxStatus labels:%s annotations:%s \
        runtime_handler:s
    PodSandbox id:s metadata:.PodSandboxMetadata state:@SANDBOX_READY created_at:l labels:%s \
        annotations:%s runtime_handler:s
    ListPodSandboxResponse items:*.PodSandbox
    ListPodSandboxStatsResponse stats:*.PodSandboxStats
    PodSandboxAttributes id:s metadata:.PodSandboxMetadata labels:%s annotations:%s
    PodSandboxStats attributes:.PodSandboxAttributes linux:.LinuxPodSandboxStats \
        windows:.WindowsPodSandboxStats
    LinuxPodSandboxStats cpu:.CpuUsage memory:.MemoryUsage network:.NetworkUsage process:.ProcessUsage \
        containers:*.ContainerStats io:.IoUsage
    WindowsPodSandboxStats cpu:.WindowsCpuUsage memory:.WindowsMemoryUsage network:.WindowsNetworkUsage \
        process:.WindowsProcessUsage containers:*.WindowsContainerStats
    NetworkUsage timestamp:l default_interface:.NetworkInterfaceUsage interfaces:*.NetworkInterfaceUsage
    WindowsNetworkUsage timestamp:l default_interface:.WindowsNetworkInterfaceUsage \
        interfaces:*.WindowsNetworkInterfaceUsage
    NetworkInterfaceUsage name:s rx_bytes:.UInt64Value rx_errors:.UInt64Value tx_bytes:.UInt64Value \
        tx_errors:.UInt64Value
    WindowsNetworkInterfaceUsage name:s rx_bytes:.UInt64Value rx_packets_dropped:.UInt64Value \
        tx_bytes:.UInt64Value tx_packets_dropped:.UInt64Value
    ProcessUsage timestamp:l process_count:.UInt64Value
    WindowsProcessUsage timestamp:l process_count:.UInt64Value
    ImageSpec image:s annotations:%s user_specified_image:s runtime_handler:s image_ref:s
    LinuxContainerResources cpu_period:l cpu_quota:l cpu_shares:l memory_limit_in_bytes:l \
        oom_score_adj:l cpuset_cpus:s cpuset_mems:s hugepage_limits:*.HugepageLimit unified:%s \
        memory_swap_limit_in_bytes:l
    HugepageLimit page_size:s limit:l
    LinuxContainerUser uid:l gid:l supplemental_groups:*l
    WindowsContainerResources cpu_shares:l cpu_count:l cpu_maximum:l memory_limit_in_bytes:l \
        rootfs_size_in_bytes:l affinity_cpus:*.WindowsCpuGroupAffinity
    WindowsCpuGroupAffinity cpu_mask:l cpu_group:i
    ContainerMetadata name:s attempt:i
    Container id:s pod_sandbox_id:s metadata:.ContainerMetadata image:.ImageSpec image_ref:s \
        state:@CONTAINER_CREATED created_at:l labels:%s annotations:%s image_id:s
    ListContainersResponse containers:*.Container
    ContainerStatus id:s metadata:.ContainerMetadata state:@CONTAINER_CREATED created_at:l started_at:l \
        finished_at:l exit_code:i image:.ImageSpec image_ref:s reason:s message:s labels:%s \
        annotations:%s mounts:*.Mount log_path:s resources:.ContainerResources image_id:s \
        user:.ContainerUser stop_signal:@RUNTIME_DEFAULT
    ContainerResources linux:.LinuxContainerResources windows:.WindowsContainerResources
    ContainerUser linux:.LinuxContainerUser
    Image id:s repo_tags:*s repo_digests:*s size:l uid:.Int64Value username:s spec:.ImageSpec pinned:b
    ListImagesResponse images:*.Image
    RuntimeCondition type:s status:b reason:s message:s
    RuntimeStatus conditions:*.RuntimeCondition
    UInt64Value value:l
    FilesystemIdentifier mountpoint:s
    FilesystemUsage timestamp:l fs_id:.FilesystemIdentifier used_bytes:.UInt64Value \
        inodes_used:.UInt64Value
    WindowsFilesystemUsage timestamp:l fs_id:.FilesystemIdentifier used_bytes:.UInt64Value
    ImageFsInfoResponse image_filesystems:*.FilesystemUsage container_filesystems:*.FilesystemUsage
    ListContainerStatsResponse stats:*.ContainerStats
    ContainerAttributes id:s metadata:.ContainerMetadata labels:%s annotations:%s
    ContainerStats attributes:.ContainerAttributes cpu:.CpuUsage memory:.MemoryUsage \
        writable_layer:.FilesystemUsage swap:.SwapUsage io:.IoUsage
    WindowsContainerStats attributes:.ContainerAttributes cpu:.WindowsCpuUsage \
        memory:.WindowsMemoryUsage writable_layer:.WindowsFilesystemUsage
    PsiStats Full:.PsiData Some:.PsiData
    PsiData Total:l Avg10:d Avg60:d Avg300:d
    CpuUsage timestamp:l usage_core_nano_seconds:.UInt64Value usage_nano_cores:.UInt64Value \
        psi:.PsiStats
    WindowsCpuUsage timestamp:l usage_core_nano_seconds:.UInt64Value usage_nano_cores:.UInt64Value
    MemoryUsage timestamp:l working_set_bytes:.UInt64Value available_bytes:.UInt64Value \
        usage_bytes:.UInt64Value rss_bytes:.UInt64Value page_faults:.UInt64Value \
        major_page_faults:.UInt64Value psi:.PsiStats
    IoUsage timestamp:l psi:.PsiStats
    SwapUsage timestamp:l swap_available_bytes:.UInt64Value swap_usage_bytes:.UInt64Value
    WindowsMemoryUsage timestamp:l working_set_bytes:.UInt64Value available_bytes:.UInt64Value \
        page_faults:.UInt64Value commit_memory_bytes:.UInt64Value
    ContainerEventResponse container_id:s container_event_type:@CONTAINER_CREATED_EVENT created_at:l \
        pod_sandbox_status:.PodSandboxStatus containers_statuses:*.ContainerStatus
    ListMetricDescriptorsResponse descriptors:*.MetricDescriptor
    MetricDescriptor name:s help:s label_keys:*s
    ListPodSandboxMetricsResponse pod_metrics:*.PodSandboxMetrics
    PodSandboxMetrics pod_sandbox_id:s metrics:*.Metric container_metrics:*.ContainerMetrics
    ContainerMetrics container_id:s metrics:*.Metric
    Metric name:s timestamp:l metric_type:@COUNTER label_values:*s value:.UInt64Value
    """
