import Glibc
import JSON
import Linux
import OCISpec

/// The process that `exec` starts: the container's own with what was asked for instead, or a file's.
enum ExecProcess {
    static func build(_ spec: Spec, _ options: Exec.Options) throws(RuntimeError) -> OCISpec.Process {
        if let file = options.processFile { return try read(file) }
        guard var process = spec.process else { throw RuntimeError("the container's configuration has no process") }
        if options.arguments.isEmpty { throw RuntimeError("exec args cannot be empty") }
        process.args = options.arguments
        process.env += options.environment
        process.terminal = options.terminal ?? false
        process.consoleSize = nil
        process.oomScoreAdj = nil
        if let directory = options.workingDirectory { process.cwd = directory }
        if let user = options.user { try setUser(user, of: &process) }
        process.user.additionalGids += options.additionalGroups
        if let profile = options.apparmorProfile { process.apparmorProfile = profile }
        if let label = options.selinuxLabel { process.selinuxLabel = label }
        if let value = options.noNewPrivileges { process.noNewPrivileges = value }
        for name in options.capabilities { add(name, to: &process) }
        return process
    }

    private static func read(_ file: String) throws(RuntimeError) -> OCISpec.Process {
        let bytes = try step("read the process") { () throws(SystemError) in try File.read(file, limit: 1 << 20) }
        do throws(JSONError) {
            return try OCISpec.Process.read(bytes)
        } catch {
            throw RuntimeError("\(file): \(error)")
        }
    }

    /// "uid" or "uid:gid", 32 bits each (CVE-2024-40635).
    private static func setUser(_ text: String, of process: inout OCISpec.Process) throws(RuntimeError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let uid = UInt32(parts[0]) else {
            throw RuntimeError("--user \(text): the uid is not a number of 32 bits")
        }
        process.user.uid = uid
        if parts.count > 1 {
            guard let gid = UInt32(parts[1]) else {
                throw RuntimeError("--user \(text): the gid is not a number of 32 bits")
            }
            process.user.gid = gid
        }
    }

    /// As runc: bounding, effective and permitted; ambient where something is inheritable already.
    private static func add(_ name: String, to process: inout OCISpec.Process) {
        var capabilities = process.capabilities ?? LinuxCapabilities()
        capabilities.bounding.append(name)
        capabilities.effective.append(name)
        capabilities.permitted.append(name)
        if !capabilities.inheritable.isEmpty {
            capabilities.inheritable.append(name)
            capabilities.ambient.append(name)
        }
        process.capabilities = capabilities
    }
}
