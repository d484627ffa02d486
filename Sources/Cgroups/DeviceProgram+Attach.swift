import CLinux
import Glibc
import Linux

extension DeviceProgram {
    /// Loads the program and puts it on a cgroup in the place of whatever device programs are on it.
    ///
    /// The new one is attached before the old ones go, so no moment allows more than the old or the new rules do.
    func attach(toDirectory path: String) throws(CgroupError) {
        let step = "set linux.resources.devices"
        let directory: Descriptor
        do throws(SystemError) {
            directory = try File.open(path, O_RDONLY | O_DIRECTORY)
        } catch {
            throw CgroupError(step, error)
        }
        let program = try load()
        var ids = [UInt32](repeating: 0, count: 64)
        let found = sys_bpf_query_device_programs(directory.raw, &ids, ids.count)
        if found < 0 {
            throw CgroupError(step + ", BPF_PROG_QUERY", path: path, errno: Errno(rawValue: -found))
        }
        let attached = sys_bpf_attach_device_program(directory.raw, program.raw, -1)
        if attached < 0 {
            throw CgroupError(step + ", BPF_PROG_ATTACH", path: path, errno: Errno(rawValue: -attached))
        }
        for id in ids.prefix(Int(found)) {
            let number = sys_bpf_program_by_id(id)
            // One that is gone by now needs no taking off.
            if number == -ENOENT { continue }
            let old = Descriptor(owning: number)
            let detached = number < 0 ? number : sys_bpf_detach_device_program(directory.raw, old.raw)
            if detached < 0, detached != -ENOENT {
                throw CgroupError(step + ", BPF_PROG_DETACH", path: path, errno: Errno(rawValue: -detached))
            }
        }
    }

    private func load() throws(CgroupError) -> Descriptor {
        let first = sys_bpf_load_device_program(instructions, instructions.count, nil, 0)
        if first >= 0 { return Descriptor(owning: first) }
        var log = [CChar](repeating: 0, count: 16 << 10)
        let second = sys_bpf_load_device_program(instructions, instructions.count, &log, log.count)
        if second >= 0 { return Descriptor(owning: second) }
        let words = log.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let hint = words.isEmpty ? "the kernel needs CONFIG_CGROUP_BPF" : String(decoding: words, as: UTF8.self)
        throw CgroupError("set linux.resources.devices, BPF_PROG_LOAD", errno: Errno(rawValue: -first), hint: hint)
    }
}
