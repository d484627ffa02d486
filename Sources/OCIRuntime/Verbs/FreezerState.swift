import Cgroups

/// Whether a container's processes stand still.
enum FreezerState {
    static func isFrozen(_ record: ContainerRecord) -> Bool {
        // A cgroup that can't be looked at isn't frozen as far as anyone can tell.
        guard let cgroup = try? Delete.openCgroup(record) else { return false }
        return cgroup.isFrozen
    }
}
