import CLinux
import JSON
import Linux
import ShimProtocol

/// An exec's `process` object in a memory file, to be passed to the shim.
func processFile(_ request: ExecRequest) throws(ShimFailure) -> Descriptor {
    guard request.process.count <= ShimLimits.processBytes else {
        throw ShimFailure(
            .invalid, "exec in \(request.container): the process is longer than \(ShimLimits.processBytes) bytes")
    }
    do throws(SystemError) {
        var process = request.process
        if let size = request.terminalSize, var object = try? JSONValue.parse(process) {
            // The runtime sets it before the process runs; set afterwards, the process could see another one first. What can't
            // be read is for the runtime to refuse.
            object["consoleSize"] = ["height": .int(Int64(size.rows)), "width": .int(Int64(size.columns))]
            process = object.encoded(pretty: false)
        }
        let file = Descriptor(owning: try check(sys_memfd_create("exec-process", 1), "memfd_create"))
        try file.writeAll(process)
        return file
    } catch {
        throw ShimFailure(.system, "exec in \(request.container): \(error)")
    }
}
