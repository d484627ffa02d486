import CLinux
import Glibc
public import Linux

/// Tells when a cgroup runs out of memory: a descriptor to wait for, and what to ask once it wakes.
public final class OutOfMemoryWatch {
    private enum Source {
        /// v1: the kernel counts into it (cgroup-v1 memory.rst, 2.5 and 10).
        case counter(Int32)
        /// v2: `memory.events` wakes with POLLPRI at every change.
        case file(Int32)
    }

    private let source: Source
    private var kills: UInt64
    private let cgroup: Cgroup

    /// The descriptor for poll(2) or epoll(7).
    public var number: Int32 {
        switch source {
        case .counter(let number), .file(let number): number
        }
    }

    /// What to wait for on it.
    public var events: Epoll.Events {
        switch source {
        case .counter: .readable
        case .file: .urgent
        }
    }

    /// Nil where the host doesn't count memory.
    public init?(_ cgroup: Cgroup) throws(SystemError) {
        self.cgroup = cgroup
        kills = cgroup.outOfMemoryKills() ?? 0
        if let directory = cgroup.directory("memory") {
            let control = try File.open(directory + "/memory.oom_control")
            let counter = try EventDescriptor()
            let number = try check(sys_dup_cloexec(counter.descriptor.raw, 3), "dup")
            source = .counter(number)
            try File.writeExisting(directory + "/cgroup.event_control", "\(counter.descriptor.raw) \(control.raw)")
        } else if let directory = cgroup.directory(nil), File.exists(directory + "/memory.events") {
            source = .file(try File.open(directory + "/memory.events").release())
        } else {
            return nil
        }
    }

    deinit { close(number) }

    /// Whether it happened since the last time.
    public func happened() -> Bool {
        switch source {
        case .counter(let number):
            var count: UInt64 = 0
            let got = withUnsafeMutableBytes(of: &count) { Glibc.read(number, $0.baseAddress, 8) }
            // v1 counts the cgroup's removal too: then its file is gone.
            return got == 8 && count > 0 && cgroup.outOfMemoryKills() != nil
        case .file(let number):
            var buffer = [UInt8](repeating: 0, count: 512)
            // Reading takes the wake-up away.
            _ = pread(number, &buffer, buffer.count, 0)
            let now = cgroup.outOfMemoryKills() ?? kills
            defer { kills = now }
            return now > kills
        }
    }
}
