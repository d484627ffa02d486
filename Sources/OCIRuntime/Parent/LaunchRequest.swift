/// What `create` and `run` were asked for.
struct LaunchRequest {
    var id: ContainerID
    var bundle: String
    var pidFile: String?
    var consoleSocket: String?
    var pidfdSocket: String?
    var newKeyring = true
    /// pivot_root, and not a moved mount with chroot.
    var pivots = true
    var systemdCgroup = false
    var rootless = RootlessMode.off
    /// Descriptors from 3 on that the program keeps, those of the activation too.
    var preservedDescriptors = 0
    var activation = SocketActivation(count: 0)
    /// Where the service manager listens for READY=1 (sd_notify(3)).
    var notifySocket: String?
    /// Below which the state directories lie.
    var root: String
    var log: Log

    init(id: ContainerID, bundle: String, root: String, log: Log) {
        self.id = id
        self.bundle = bundle
        self.root = root
        self.log = log
    }
}
