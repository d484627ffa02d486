import Cgroups
import Glibc
import Linux

/// Whether a container's processes stand still.
enum FreezerState {
    static func isFrozen(_ record: ContainerRecord) -> Bool {
        // A cgroup that can't be looked at isn't frozen as far as anyone can tell.
        guard let cgroup = try? Delete.openCgroup(record) else { return false }
        if let directory = cgroup.directory("freezer"), let text = try? File.readText(directory + "/freezer.state") {
            return text != "THAWED\n"
        }
        if let directory = cgroup.directory(nil), let text = try? File.readText(directory + "/cgroup.freeze") {
            return text == "1\n"
        }
        return false
    }
}
