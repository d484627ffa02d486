import Glibc
import JSON
import Linux
import OCISpec

/// `features`: what this runtime can do, in the specification's features structure (features.md).
enum Features {
    static func run() {
        var writer = JSONWriter(indent: "  ")
        writer.object { writer in
            writer.required("ociVersionMin", "1.0.0")
            writer.required("ociVersionMax", Spec.version)
            writer.required(
                "hooks",
                ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"])
            writer.required("mountOptions", mountOptions.sorted())
            writer.key("linux")
            writer.object { writer in writeLinux(&writer) }
            writer.key("annotations")
            writer.object { writer in
                writer.required("io.github.seccomp.libseccomp.version", Version.libseccomp)
                writer.required("dev.kubesim.version", Version.number)
                writer.required("org.opencontainers.runc.checkpoint.enabled", "true")
            }
        }
        Output.line(writer.bytes)
    }

    private static func writeLinux(_ writer: inout JSONWriter) {
        writer.required("namespaces", Namespace.allCases.map { kind in ociName(kind) }.sorted())
        writer.required("capabilities", CapabilitySet.supported.names)
        writer.key("cgroup")
        writer.object { writer in
            writer.required("v1", true)
            writer.required("v2", true)
            writer.required("systemd", true)
            writer.required("systemdUser", true)
            writer.required("rdma", true)
        }
        writer.key("seccomp")
        writer.object { writer in
            writer.required("enabled", true)
            writer.required("actions", seccompActions)
            writer.required("operators", seccompOperators)
            writer.required("archs", seccompArchitectures)
            writer.required("knownFlags", seccompFlags)
            writer.required("supportedFlags", seccompFlags)
        }
        for (name, enabled) in [("apparmor", true), ("selinux", true), ("intelRdt", true)] {
            writer.key(name)
            writer.object { writer in
                writer.required("enabled", enabled)
                if name == "intelRdt" {
                    writer.required("schemata", true)
                    writer.required("monitoring", false)
                }
            }
        }
        writer.key("memoryPolicy")
        writer.object { writer in
            writer.required(
                "modes",
                [
                    "MPOL_BIND", "MPOL_DEFAULT", "MPOL_INTERLEAVE", "MPOL_LOCAL", "MPOL_PREFERRED",
                    "MPOL_PREFERRED_MANY", "MPOL_WEIGHTED_INTERLEAVE",
                ])
            writer.required("flags", ["MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES"])
        }
        writer.key("mountExtensions")
        writer.object { writer in
            writer.key("idmap")
            writer.object { $0.required("enabled", true) }
        }
        writer.key("netDevices")
        writer.object { $0.required("enabled", true) }
    }

    private static func ociName(_ kind: Namespace) -> String {
        switch kind {
        case .mount: "mount"
        case .network: "network"
        default: kind.procName
        }
    }

    private static let mountOptions = [
        "atime", "bind", "defaults", "dev", "diratime", "exec", "idmap", "noatime", "nodev", "nodiratime", "noexec",
        "norelatime", "remount", "ridmap", "ratime", "rdiratime", "rnoatime", "rnodiratime", "rnorelatime",
        "rnostrictatime", "rrelatime", "rstrictatime", "rsymfollow", "rnosymfollow",
        "nostrictatime", "nosuid", "nosymfollow", "private", "rbind", "rdev", "relatime", "rexec", "rnodev", "rnoexec",
        "rnosuid", "ro", "rprivate", "rro", "rrw", "rshared", "rslave", "rsuid", "runbindable", "rw", "shared", "slave",
        "strictatime", "suid", "symfollow", "tmpcopyup", "unbindable",
    ]
    private static let seccompActions = [
        "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
        "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY",
        "SCMP_ACT_TRACE", "SCMP_ACT_TRAP",
    ]
    private static let seccompOperators = [
        "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_LE", "SCMP_CMP_LT", "SCMP_CMP_MASKED_EQ", "SCMP_CMP_NE",
    ]
    private static let seccompArchitectures = [
        "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM", "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32",
        "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64",
        "SCMP_ARCH_PPC64LE", "SCMP_ARCH_RISCV64", "SCMP_ARCH_S390", "SCMP_ARCH_S390X", "SCMP_ARCH_X32", "SCMP_ARCH_X86",
        "SCMP_ARCH_X86_64",
    ]
    private static let seccompFlags = [
        "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC",
        "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
    ]
}
