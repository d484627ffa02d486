/// What `create` and `run` were asked for.
struct LaunchRequest {
    var id: ContainerID
    var bundle: String
    var pidFile: String?
    var consoleSocket: String?
    var newKeyring = true
    /// Descriptors from 3 on that the program keeps.
    var preservedDescriptors = 0
    /// Below which the state directories lie.
    var root: String
    var log: Log
}
