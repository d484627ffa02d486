import CLinux
import Linux
import ShimProtocol

/// An exec's `process` object in a memory file, to be passed to the shim.
func processFile(_ request: ExecRequest) throws(ShimFailure) -> Descriptor {
    guard request.process.count <= ShimLimits.processBytes else {
        throw ShimFailure(
            .invalid, "exec in \(request.container): the process is longer than \(ShimLimits.processBytes) bytes")
    }
    do throws(SystemError) {
        let file = Descriptor(owning: try check(sys_memfd_create("exec-process", 1), "memfd_create"))
        try file.writeAll(request.process)
        return file
    } catch {
        throw ShimFailure(.system, "exec in \(request.container): \(error)")
    }
}
