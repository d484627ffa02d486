import JSON

/// Our own configuration with every field of the specification once.
enum Examples {
    static let everything = """
        {"ociVersion":"1.3.0","process":{"terminal":true,"consoleSize":{"height":25,"width":80},
        "user":{"uid":1,"gid":2,"umask":18,"additionalGids":[5,6],"username":"u"},"args":["sh","-c","true"],
        "env":["PATH=/bin","TERM=xterm"],"cwd":"/tmp","capabilities":{"bounding":["CAP_KILL"],"effective":["CAP_KILL"],
        "inheritable":["CAP_KILL"],"permitted":["CAP_KILL"],"ambient":["CAP_KILL"]},
        "rlimits":[{"type":"RLIMIT_NOFILE","hard":18446744073709551615,"soft":1024}],"noNewPrivileges":true,
        "apparmorProfile":"p","oomScoreAdj":-5,"scheduler":{"policy":"SCHED_OTHER","nice":3,
        "flags":["SCHED_FLAG_RESET_ON_FORK"]},"selinuxLabel":"l","ioPriority":{"class":"IOPRIO_CLASS_BE","priority":4},
        "execCPUAffinity":{"initial":"0-1","final":"0"}},"root":{"path":"rootfs","readonly":true},"hostname":"h",
        "domainname":"d","mounts":[{"destination":"/proc","type":"proc","source":"proc","options":["nosuid"],
        "uidMappings":[{"containerID":0,"hostID":1000,"size":10}],"gidMappings":[{"containerID":0,"hostID":1000,"size":10}]}],
        "hooks":{"prestart":[{"path":"/a","args":["a"],"env":["b=c"],"timeout":3}],"createRuntime":[{"path":"/a"}],
        "createContainer":[{"path":"/a"}],"startContainer":[{"path":"/a"}],"poststart":[{"path":"/a"}],
        "poststop":[{"path":"/a"}]},"annotations":{"k":"v"},"linux":{
        "uidMappings":[{"containerID":0,"hostID":1000,"size":10}],"gidMappings":[{"containerID":0,"hostID":1000,"size":10}],
        "sysctl":{"net.core.somaxconn":"256"},"resources":{
        "devices":[{"allow":false,"type":"c","major":10,"minor":229,"access":"rw"}],
        "memory":{"limit":1,"reservation":2,"swap":3,"kernel":-1,"kernelTCP":-1,"swappiness":0,"disableOOMKiller":false,
        "useHierarchy":true,"checkBeforeUpdate":false},"cpu":{"shares":1024,"quota":-1,"burst":5,"period":100000,
        "realtimeRuntime":1,"realtimePeriod":2,"cpus":"0-1","mems":"0","idle":0},"pids":{"limit":0},
        "blockIO":{"weight":10,"leafWeight":10,"weightDevice":[{"major":8,"minor":0,"weight":500,"leafWeight":300}],
        "throttleReadBpsDevice":[{"major":8,"minor":0,"rate":600}],"throttleWriteBpsDevice":[{"major":8,"minor":0,"rate":601}],
        "throttleReadIOPSDevice":[{"major":8,"minor":0,"rate":602}],"throttleWriteIOPSDevice":[{"major":8,"minor":0,"rate":603}]},
        "hugepageLimits":[{"pageSize":"2MB","limit":9223372036854775808}],"network":{"classID":1048577,
        "priorities":[{"name":"eth0","priority":500}]},"rdma":{"mlx5_1":{"hcaHandles":3,"hcaObjects":4}},
        "unified":{"memory.high":"1"}},"cgroupsPath":"/a/b","namespaces":[{"type":"pid"},{"type":"network","path":"/n"},
        {"type":"uts"},{"type":"user"},{"type":"time"},{"type":"mount"}],
        "devices":[{"path":"/dev/fuse","type":"c","major":10,"minor":229,"fileMode":438,"uid":1,"gid":2}],
        "netDevices":{"eth1":{"name":"net1"}},"seccomp":{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,
        "architectures":["SCMP_ARCH_X86_64"],"flags":["SECCOMP_FILTER_FLAG_LOG"],"listenerPath":"/l","listenerMetadata":"m",
        "syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","errnoRet":1,
        "args":[{"index":1,"value":2,"valueTwo":3,"op":"SCMP_CMP_MASKED_EQ"}]}]},"rootfsPropagation":"slave",
        "maskedPaths":["/proc/kcore"],"readonlyPaths":["/proc/sys"],"mountLabel":"l","intelRdt":{"closID":"c",
        "schemata":["L3:0=f"],"l3CacheSchema":"L3:0=f","memBwSchema":"MB:0=20","enableMonitoring":true},
        "memoryPolicy":{"mode":"MPOL_BIND","nodes":"0-1","flags":["MPOL_F_STATIC_NODES"]},
        "personality":{"domain":"LINUX32"},"timeOffsets":{"monotonic":{"secs":-5,"nanosecs":1}}}}
        """

    /// The same value with members in the order of their names.
    static func sorted(_ value: JSONValue) -> JSONValue {
        switch value {
        case .array(let elements): .array(elements.map(sorted))
        case .object(let object):
            .object(
                JSONObject(
                    object.members.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: sorted($0.value)) }))
        default: value
        }
    }
}
