import CLinux
import CRI
import Linux
import OCISpec

extension CDIEdits {
    /// Looks up on the host what a device node's description leaves out. Blocking.
    mutating func lookAtHost() throws(CRIError) {
        for index in deviceNodes.indices {
            let node = deviceNodes[index]
            if node.type == "p" || node.type != nil && node.major != nil && node.minor != nil { continue }
            do throws(SystemError) {
                let status = try FileStatus(node.hostPath)
                guard status.isBlockDevice || status.isCharacterDevice else {
                    throw SystemError("find a device at", path: node.hostPath, errno: .noDevice)
                }
                deviceNodes[index].type = node.type ?? (status.isBlockDevice ? "b" : "c")
                deviceNodes[index].major = node.major ?? Int64(status.raw.rdev_major)
                deviceNodes[index].minor = node.minor ?? Int64(status.raw.rdev_minor)
                deviceNodes[index].fileMode = node.fileMode ?? status.permissions
            } catch {
                throw CRIError(.invalidArgument, "CDI device node \(node.path): \(error)")
            }
        }
    }

    /// Changes a spec; what it had of the same name or place is replaced. Pure.
    func apply(to spec: inout Spec) {
        var process = spec.process ?? Process(cwd: "/")
        for entry in env {
            let name = entry.prefix { $0 != "=" } + "="
            process.env.removeAll { $0.hasPrefix(name) }
            process.env.append(entry)
        }
        for gid in additionalGids where gid != 0 && !process.user.additionalGids.contains(gid) {
            process.user.additionalGids.append(gid)
        }
        var linux = spec.linux ?? LinuxSection()
        for node in deviceNodes {
            // Who isn't root could not open what belongs to root.
            let uid = node.uid ?? (process.user.uid > 0 ? process.user.uid : nil)
            let gid = node.gid ?? (process.user.gid > 0 ? process.user.gid : nil)
            linux.devices.removeAll { $0.path == node.path }
            linux.devices.append(
                LinuxDevice(
                    path: node.path, type: node.type ?? "c", major: node.major, minor: node.minor,
                    fileMode: node.fileMode, uid: uid, gid: gid))
            guard node.type == "b" || node.type == "c" else { continue }
            var resources = linux.resources ?? LinuxResources()
            resources.devices.append(
                LinuxDeviceCgroup(
                    allow: true, type: node.type, major: node.major, minor: node.minor, access: node.permissions))
            linux.resources = resources
        }
        for (name, device) in netDevices { linux.netDevices[name] = device }
        if let intelRdt { linux.intelRdt = intelRdt }
        spec.process = process
        spec.linux = linux
        for mount in mounts {
            spec.mounts.removeAll { $0.destination == mount.destination }
            spec.mounts.append(mount)
        }
        if !mounts.isEmpty { spec.mounts = ContainerMounts.byDepth(spec.mounts) }
        addHooks(to: &spec)
    }

    private func addHooks(to spec: inout Spec) {
        guard !hooks.isEmpty else { return }
        var all = spec.hooks ?? Hooks()
        for (name, hook) in hooks {
            switch name {
            case "prestart": all.prestart.append(hook)
            case "createRuntime": all.createRuntime.append(hook)
            case "createContainer": all.createContainer.append(hook)
            case "startContainer": all.startContainer.append(hook)
            case "poststart": all.poststart.append(hook)
            default: all.poststop.append(hook)
            }
        }
        spec.hooks = all
    }
}
