import CLinux
import CRI
import Glibc
import Linux

/// Looks at the device nodes that a container is to have.
enum DeviceNodes {
    /// The nodes of a config; a host path that is a directory stands for every node in it. Blocking.
    static func prepare(_ asked: [CRIDevice]) throws(CRIError) -> [PreparedDevice] {
        var devices: [PreparedDevice] = []
        for device in asked {
            let access = device.permissions.isEmpty ? "rwm" : device.permissions
            guard device.hostPath.hasPrefix("/"), access.utf8.allSatisfy({ "rwm".utf8.contains($0) }) else {
                throw CRIError(
                    .invalidArgument, "device \"\(device.hostPath)\" \(access): not an absolute path and some of rwm")
            }
            let path = device.containerPath.isEmpty ? device.hostPath : device.containerPath
            let found = try look(device.hostPath, as: ProcessPlan.cleanPath(path), access: access)
            guard !found.isEmpty else {
                throw CRIError(.invalidArgument, "device \(device.hostPath): not a device, and no devices in it")
            }
            devices += found
        }
        return devices
    }

    /// Every device node below the host's /dev, for a privileged container. Blocking.
    static func host() throws(CRIError) -> [PreparedDevice] { try look("/dev", as: "/dev", access: "rwm") }

    /// Directories of /dev that a container gets anew.
    private static let own: Set<String> = ["/dev/pts", "/dev/shm", "/dev/fd", "/dev/mqueue", "/dev/.lxc", "/dev/.udev"]

    private static func look(
        _ path: String, as destination: String, access: String
    ) throws(CRIError) -> [PreparedDevice] {
        do {
            let status = try FileStatus(path)
            if status.isDirectory {
                guard !own.contains(path), path.utf8.count < 512 else { return [] }
                var found: [PreparedDevice] = []
                for name in try Directory.names(path).sorted() where name != "console" && name != "ptmx" {
                    let child = "\(path)/\(name)"
                    // Links in /dev point at nodes that are listed themselves.
                    guard let status = try? FileStatus(child, followLinks: false), !status.isSymlink else { continue }
                    found += try look(child, as: "\(destination)/\(name)", access: access)
                }
                return found
            }
            guard status.isCharacterDevice || status.isBlockDevice else { return [] }
            return [
                PreparedDevice(
                    path: destination, type: status.isBlockDevice ? "b" : "c", major: Int64(status.raw.rdev_major),
                    minor: Int64(status.raw.rdev_minor), mode: status.permissions, uid: status.raw.uid,
                    gid: status.raw.gid, access: access)
            ]
        } catch let error as SystemError {
            throw CRIError(.invalidArgument, "device: \(error)")
        } catch let error as CRIError {
            throw error
        } catch {
            throw CRIError(.unknown, "device \(path): \(error)")
        }
    }
}
