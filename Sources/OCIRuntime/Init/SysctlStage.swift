import CLinux
import Glibc
import Linux

/// Writes the container's sysctls.
///
/// It happens before pivot_root, through the host's /proc, which shows this process its own namespaces' values: nothing that
/// the container could have prepared lies on the way (CVE-2025-52881). What is opened is proven to be a procfs all the same.
enum SysctlStage {
    static func apply(_ sysctls: [SysctlPlan]) throws(RuntimeError) {
        if sysctls.isEmpty { return }
        let folder = try step("linux.sysctl") { () throws(SystemError) in
            try File.open("/proc/sys", OpenFlag.path | O_DIRECTORY | O_NOFOLLOW)
        }
        for sysctl in sysctls {
            try step("linux.sysctl \(sysctl.name)=\(sysctl.value)") { () throws(SystemError) in
                let file = try RootedPath.open(
                    sysctl.path, O_WRONLY, root: folder.raw, resolve: [.beneath, .noSymlinks, .noCrossMount])
                if try FilesystemStatistics(of: file).type != FilesystemStatistics.procMagic {
                    throw SystemError("open", path: "/proc/sys/\(sysctl.path)", errno: .crossDevice)
                }
                try file.writeAll(sysctl.value)
            }
        }
    }
}
