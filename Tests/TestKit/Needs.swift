import FoundationEssentials
import Glibc
import Testing

/// A feature of the host that a test can't do without. Tests are gated on features, never on who runs them.
public enum Feature: String, Sendable {
    case root = "root (CAP_SYS_ADMIN)"
    case overlayfs = "overlayfs"
    case programs = "the built programs (make build)"
    case busybox = "a static /bin/busybox (busybox-static)"
    case cniPlugins = "CNI plugins (containernetworking-plugins)"
    case iptables = "iptables"
    case ip6tables = "IPv6 with address translation (ip6tables -t nat)"
    case samples = "the sample images (make samples)"
    case runc = "runc"
    case crun = "crun"
    case podman = "podman, conmon and catatonit"
    case systemd = "systemd, running"
    case systemdBus = "systemd as process 1, with a bus that answers (dbus)"
    case containerd = "containerd"
    case newuidmap = "newuidmap (uidmap)"
    case appArmor = "AppArmor in the kernel, and apparmor_parser"

    /// Is it here?
    public var isPresent: Bool {
        switch self {
        case .root: geteuid() == 0
        case .overlayfs:
            ProcFile.text("/proc/filesystems").contains("overlay")
        case .programs: ["kubesim-oci", "kubesim-shim"].allSatisfy { Self.isExecutable(Binaries.path($0)) }
        case .busybox: Self.isExecutable("/bin/busybox")
        case .cniPlugins:
            ["/opt/cni/bin", "/usr/lib/cni"].contains { Self.isExecutable($0 + "/bridge") }
        case .iptables: Self.onPath("iptables")
        case .ip6tables:
            ProcFile.text("/proc/sys/net/ipv6/conf/all/disable_ipv6") == "0\n"
                && (try? Command(["ip6tables", "-w", "-t", "nat", "-S"]).runBlocking())?.code == 0
        case .samples: access(Binaries.repository + "/rootfs-samples/out/busybox.tar", R_OK) == 0
        case .runc: Self.onPath("runc")
        case .crun: Self.onPath("crun")
        case .podman:
            ["podman", "conmon"].allSatisfy(Self.onPath) && Self.isExecutable("/usr/libexec/podman/catatonit")
        case .systemd: access("/run/systemd/system", F_OK) == 0
        case .systemdBus:
            ProcFile.text("/proc/1/comm") == "systemd\n"
                && (try? Command(["busctl", "--system", "status", "org.freedesktop.systemd1"]).runBlocking())?.code == 0
        case .containerd: Self.onPath("containerd")
        case .newuidmap: Self.onPath("newuidmap")
        case .appArmor: access("/sys/kernel/security/apparmor/.load", F_OK) == 0 && Self.onPath("apparmor_parser")
        }
    }

    private static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }

    private static func onPath(_ name: String) -> Bool {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin"
        return (path.split(separator: ":") + ["/usr/sbin", "/sbin"]).contains { isExecutable($0 + "/" + name) }
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips the test, naming what is missing, where the host lacks a feature.
    public static func needs(_ features: Feature...) -> Self {
        let missing = features.filter { !$0.isPresent }.map(\.rawValue)
        return .enabled(if: missing.isEmpty, "needs \(missing.joined(separator: ", "))")
    }
}
