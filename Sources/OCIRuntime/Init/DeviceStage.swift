import CLinux
import Glibc
import Linux

/// Device nodes and the usual links in the container's /dev.
enum DeviceStage {
    static func make(_ devices: [DevicePlan], _ plan: LaunchPlan, root: Int32) throws(RuntimeError) {
        let folder = try step("/dev") { () throws(SystemError) in try RootedPath.makeDirectory("/dev", root: root) }
        for device in devices {
            try step("device \(device.path)") { () throws(SystemError) in
                try make(device, plan, folder: folder.raw, root: root)
            }
        }
        try step("links in /dev") { () throws(SystemError) in try makeLinks(folder: folder.raw, root: root) }
    }

    private static func make(_ device: DevicePlan, _ plan: LaunchPlan, folder: Int32, root: Int32) throws(SystemError) {
        let slash = device.path.lastIndex(of: "/") ?? device.path.startIndex
        let name = String(device.path[device.path.index(after: slash)...])
        if name.isEmpty || name == "." || name == ".." {
            throw SystemError("mknod", path: device.path, errno: .invalid)
        }
        if device.path[..<slash] == "/dev" { return try makeNode(device, name, plan, folder: folder) }
        let other = try RootedPath.makeDirectory(String(device.path[..<slash]), root: root)
        try makeNode(device, name, plan, folder: other.raw)
    }

    private static func makeNode(
        _ device: DevicePlan, _ name: String, _ plan: LaunchPlan, folder: Int32
    ) throws(SystemError) {
        if !plan.namespaces.has(.user) {
            let result = sys_mknodat(folder, name, device.type | device.mode, device.major, device.minor)
            switch result {
            case 0:
                if device.uid != 0 || device.gid != 0 {
                    try checkErrno(fchownat(folder, name, device.uid, device.gid, AT_SYMLINK_NOFOLLOW), "chown", name)
                }
                return
            case -EEXIST:
                // The image, or a mount of the configuration, has one: it must be the same device.
                if try isDevice(device, FileStatus(at: folder, name, followLinks: false)) { return }
                throw SystemError("mknod (something else is there)", path: device.path, errno: .exists)
            case -EPERM: break
            default: try check(result, "mknod", device.path)
            }
        }
        try bindHostNode(device, name, folder: folder)
    }

    /// Where nodes can't be made (a user namespace), the host's are bound, after a look that they are what they should be.
    private static func bindHostNode(_ device: DevicePlan, _ name: String, folder: Int32) throws(SystemError) {
        let host = try File.open(device.path, OpenFlag.path | O_NOFOLLOW)
        if try !isDevice(device, host.status()) {
            throw SystemError("bind the host's", path: device.path, errno: .noDevice)
        }
        let target = try RootedPath.makeFile(name, mode: 0, root: folder)
        try MountTree.clone("", at: host.raw, recursive: false).attach(over: target.raw)
    }

    static func isDevice(_ device: DevicePlan, _ status: FileStatus) -> Bool {
        let raw = status.raw
        guard raw.mode & S_IFMT == device.type else { return false }
        return device.type == S_IFIFO || (raw.rdev_major == device.major && raw.rdev_minor == device.minor)
    }

    private static func makeLinks(folder: Int32, root: Int32) throws(SystemError) {
        for (name, target) in DevicePlan.links {
            if name == "core", !File.exists("proc/kcore", at: root) { continue }
            try link(name, target, folder)
        }
        // Always the container's own pseudo terminals, whatever the image brought.
        try File.remove("ptmx", at: folder)
        try link("ptmx", "pts/ptmx", folder)
    }

    private static func link(_ name: String, _ target: String, _ folder: Int32) throws(SystemError) {
        if symlinkat(target, folder, name) < 0, Glibc.errno != EEXIST {
            throw SystemError("symlink", path: "/dev/\(name)", errno: .current)
        }
    }
}
