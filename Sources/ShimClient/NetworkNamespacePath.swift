import Glibc
import ShimProtocol

/// Removes a network namespace that a shim made (`ShimLaunch.networkNamespace`): unmounts its path and unlinks it. The
/// namespace itself goes with its last process. To be called after the network plugins' DEL; success when it is gone.
public func removeNetworkNamespace(_ path: String) throws(ShimFailure) {
    while umount2(path, Int32(MNT_DETACH) | Int32(UMOUNT_NOFOLLOW)) == 0 {}
    guard errno == EINVAL || errno == ENOENT else {
        throw ShimFailure(.system, "unmount network namespace \(path): \(String(cString: strerror(errno)))")
    }
    guard unlink(path) == 0 || errno == ENOENT else {
        throw ShimFailure(.system, "unlink network namespace \(path): \(String(cString: strerror(errno)))")
    }
}
