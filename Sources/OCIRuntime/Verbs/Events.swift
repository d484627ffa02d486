import Cgroups
import Glibc
import JSON
import Linux

/// `events`: statistics at an interval, and a word when the container runs out of memory; a line of JSON each, until the
/// container has stopped.
enum Events {
    static func run(_ id: ContainerID, root: String, _ flags: Arguments.Flags, log: Log) throws(RuntimeError) {
        let interval = Interval.parse(flags["interval"] ?? "5s")
        guard let interval else { throw RuntimeError("duration interval must be greater than 0") }
        let record = try ContainerRecord.peek(id, root: root)
        guard let process = try record.openInit() else {
            throw RuntimeError("container with id \(id) is not running")
        }
        let cgroup = try Delete.openCgroup(record)
        if flags.has("stats") { return tell("stats", record, cgroup.counters()) }
        do throws(SystemError) {
            try watch(process, cgroup, record, interval)
        } catch {
            throw RuntimeError("events", error)
        }
    }

    private enum Token: UInt64 { case process, timer, memory }

    private static func watch(
        _ process: borrowing Pidfd, _ cgroup: Cgroup, _ record: ContainerRecord, _ interval: UInt64
    ) throws(SystemError) {
        let epoll = try Epoll()
        let timer = try TimerDescriptor()
        try timer.set(firstNanoseconds: interval, intervalNanoseconds: interval)
        try epoll.add(process.descriptor.raw, .readable, token: Token.process.rawValue)
        try epoll.add(timer.descriptor.raw, .readable, token: Token.timer.rawValue)
        // A host without a memory controller has nothing to tell.
        let memory = try OutOfMemoryWatch(cgroup)
        if let memory { try epoll.add(memory.number, memory.events, token: Token.memory.rawValue) }
        while true {
            var ended = false
            for event in try epoll.wait() {
                switch Token(rawValue: event.token) {
                case .timer where timer.take() > 0: tell("stats", record, cgroup.counters())
                case .memory: if memory?.happened() == true { tell("oom", record, nil) }
                case .process: ended = true
                case .timer, nil: break
                }
            }
            if !ended { continue }
            // What killed it may not have been looked at yet.
            if memory?.happened() == true { tell("oom", record, nil) }
            return
        }
    }

    private static func tell(_ type: String, _ record: ContainerRecord, _ counters: CgroupCounters?) {
        var writer = JSONWriter()
        writer.object { writer in
            writer.required("type", type)
            writer.required("id", record.id)
            if let counters {
                writer.key("data")
                EventStatistics.write(counters, to: &writer)
            }
        }
        Output.line(writer.bytes)
    }
}
