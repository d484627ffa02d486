import Cgroups
import CLinux
import Glibc
import JSON
import Linux

/// `ps`: the container's processes, by the host's ps.
enum Ps {
    static func run(_ id: ContainerID, root: String, json: Bool, arguments: [String]) throws(RuntimeError) {
        let record = try ContainerRecord.peek(id, root: root)
        let cgroup = try Delete.openCgroup(record)
        let pids = try cgroups { () throws(CgroupError) in try cgroup.processes().sorted() }
        if json {
            var writer = JSONWriter()
            writer.array { writer in
                for pid in pids { writer.value(integer: pid) }
            }
            return Output.line(writer.bytes)
        }
        try table(pids, arguments.isEmpty ? ["-ef"] : arguments)
    }

    private static func table(_ pids: [pid_t], _ arguments: [String]) throws(RuntimeError) {
        let output = try step("ps") { () throws(SystemError) in
            Descriptor(owning: try check(sys_memfd_create("ps", 1), "memfd_create"))
        }
        guard let program = SearchPath.find("ps") else {
            throw RuntimeError("ps: there is no ps in PATH; --format json needs none")
        }
        var spawn = Spawn(program, ["ps"] + arguments)
        spawn.descriptors = [0, output.raw, 2]
        let text = try step("ps") { () throws(SystemError) in
            let child = try spawn.start()
            _ = try child.pidfd.wait()
            try checkErrno(lseek(output.raw, 0, SEEK_SET), "lseek")
            return String(decoding: try output.readAll(), as: UTF8.self)
        }
        let lines = text.split(separator: "\n")
        guard let head = lines.first, let column = head.split(separator: " ").firstIndex(of: "PID") else {
            throw RuntimeError("ps: its output has no column PID")
        }
        let wanted = Set(pids.map { String($0) })
        var kept = [String(head)]
        for line in lines.dropFirst() {
            let fields = line.split(separator: " ")
            if fields.count > column, wanted.contains(String(fields[column])) { kept.append(String(line)) }
        }
        Output.text(kept.joined(separator: "\n") + "\n")
    }
}
