import Cgroups
import CLinux
import Glibc
import JSON
import Linux
import OCISpec
import TestKit
import Testing

@testable import OCIRuntime

@Suite("systemd's cgroups, as far as a host without systemd can tell")
struct SystemdUnitTests {
    @Test("A path of three parts names slice and unit, and so the cgroup")
    func readsPaths() throws {
        let scope = try SystemdCgroup("machine-my.slice:run:abc", id: "x")
        #expect(scope.unit == "run-abc.scope")
        #expect(scope.path == "/machine.slice/machine-my.slice/run-abc.scope")
        #expect(try SystemdCgroup("", id: "x").unit == "kubesim-oci-x.scope")
        #expect(try SystemdCgroup("-.slice::abc", id: "x").path == "/abc.scope")
        #expect(try SystemdCgroup("a.slice:p:a-b.slice", id: "x").path == "/a.slice/a-b.slice")
        for text in ["/a/b", "a:b", "a:b:c:d", "a:b:", "a--b.slice:p:n", "a/b.slice:p:n", "x:p:n", "a.slice:p:n/../m"] {
            #expect(throws: RuntimeError.self, "\(text)") { try SystemdCgroup(text, id: "x") }
        }
    }

    @Test("Limits become properties, in the version's words")
    func translatesLimits() throws {
        let resources = LinuxResources(
            memory: LinuxMemory(limit: 1000, reservation: 500, swap: 3000),
            cpu: LinuxCPU(shares: 1024, quota: 50_000, period: 100_000, cpus: "0-1,9"), pids: LinuxPids(limit: 7))
        let unified = try SystemdProperty.resources(
            resources, host: CgroupHost(unified: CgroupHost.Hierarchy(mountPoint: "/x", controllers: [])))
        let expected = [
            SystemdProperty("MemoryMax", .uint64(1000)), SystemdProperty("MemoryLow", .uint64(500)),
            SystemdProperty("MemorySwapMax", .uint64(2000)), SystemdProperty("CPUWeight", .uint64(100)),
            SystemdProperty("CPUQuotaPeriodUSec", .uint64(100_000)),
            SystemdProperty("CPUQuotaPerSecUSec", .uint64(500_000)),
            SystemdProperty("AllowedCPUs", .bytes([3, 2])), SystemdProperty("TasksMax", .uint64(7)),
        ]
        #expect(unified == expected)
        let old = try SystemdProperty.resources(
            resources, host: CgroupHost(v1: [CgroupHost.Hierarchy(mountPoint: "/x", controllers: ["memory"])]))
        #expect(old.first == SystemdProperty("MemoryLimit", .uint64(1000)))
        #expect(old.contains(SystemdProperty("CPUShares", .uint64(1024))))
    }

    @Test("Annotations become properties; a number of seconds is told in microseconds")
    func readsAnnotations() throws {
        let found = try SystemdProperty.annotations([
            "org.systemd.property.TimeoutStopSec": "uint64 5", "org.systemd.property.Description": "'mine'",
            "org.systemd.property.After": "['a.service', 'b.service']", "other": "x",
        ])
        #expect(
            found == [
                SystemdProperty("After", .strings(["a.service", "b.service"])),
                SystemdProperty("Description", .string("mine")), SystemdProperty("TimeoutStopUSec", .uint64(5_000_000)),
            ])
        // Checked: without a bound on the depth the last one had not ended after 45 s.
        let deep = String(repeating: "[", count: 200_000) + String(repeating: "]", count: 200_000)
        for (key, value) in [("Exec_Start", "'x'"), ("Description", "x"), ("StopSec", "'x'"), ("After", deep)] {
            #expect(throws: RuntimeError.self) {
                try SystemdProperty.annotations(["org.systemd.property." + key: value])
            }
        }
    }

    @Test("A message is read as it was written; one that was cut or lies about a length is refused")
    func carriesMessages() throws {
        // Checked: without the look at the length DBusReader.text reads beyond its bytes and traps.
        var message = DBusMessage(kind: .call)
        message.serial = 7
        message.path = "/a/b"
        message.interface = "i.f"
        message.member = "M"
        message.destination = "d.e"
        message.body = [
            .string("unit"), .array("(sv)", [.structure([.string("n"), .variant(.uint64(5))])]), .bool(true),
            .array("t", []), .byte(3), .double(1.5), .strings(["x", "yz"]),
        ]
        let bytes = message.encoded()
        #expect(try DBusMessage.length(bytes[..<16]) == bytes.count)
        #expect(try DBusMessage(bytes[...]) == message)
        for count in stride(from: 16, to: bytes.count, by: 3) {
            #expect(throws: RuntimeError.self) { try DBusMessage(bytes[..<count]) }
        }
        for place in 16..<bytes.count {
            var damaged = bytes
            damaged[place] = 0xFF
            // Read or refused, but never a trap.
            _ = try? DBusMessage(damaged[...])
        }
        var long = bytes
        long.replaceSubrange(4..<8, with: [0xFF, 0xFF, 0xFF, 0x7F])
        #expect(throws: RuntimeError.self) { try DBusMessage.length(long[..<16]) }
    }
}

@Suite("A container of systemd's, beside a systemd that only talks", .needs(.root, .programs, .busybox))
struct SystemdDriverTests {
    @Test("The unit is started with the init in it and the limits as properties, and stopped when the container goes")
    func drives() async throws {
        try await TestBundle.use { bundle in
            let bus = try FakeBus(bundle.scratch.file("bus"))
            bundle.spec.linux {
                $0.cgroupsPath = "kubesimtest.slice:test:\(bundle.id)"
                $0.resources?.pids = LinuxPids(limit: 33)
            }
            bundle.spec.process?.args = ["/bin/sleep", "1000"]
            try bundle.write()
            let words = [
                "/usr/bin/env", "DBUS_SYSTEM_BUS_ADDRESS=unix:path=\(bus.path)", TestBundle.program, "--root",
                bundle.state, "--systemd-cgroup",
            ]
            bus.serve(connections: 1)
            let made = try await Command(words + ["run", "--detach", "--bundle", bundle.path, bundle.id]).run()
            #expect(made.code == 0, "\(made.errors)")
            let start = try #require(bus.calls().first { $0.member == "StartTransientUnit" })
            #expect(start.body[0] == .string("test-\(bundle.id).scope"))
            guard case .array(_, let properties) = start.body[2] else {
                Issue.record("no properties")
                return
            }
            let pid = try await bundle.pid()
            #expect(properties.contains(.structure([.string("Slice"), .variant(.string("kubesimtest.slice"))])))
            #expect(properties.contains(.structure([.string("Delegate"), .variant(.bool(true))])))
            #expect(properties.contains(.structure([.string("TasksMax"), .variant(.uint64(33))])))
            // The limits hold whether systemd writes them or not.
            let folder = "/kubesimtest.slice/test-\(bundle.id).scope"
            #expect(try File.readText("/proc/\(pid)/cgroup").contains(folder + "\n"))
            bus.serve(connections: 2)
            let environment = Array(words.dropLast())
            let changed = try await Command(environment + ["update", "--pids-limit", "44", bundle.id]).run()
            #expect(changed.code == 0, "\(changed.errors)")
            #expect(bus.calls().contains { $0.member == "SetUnitProperties" })
            bus.serve(connections: 2)
            let gone = try await Command(environment + ["delete", "--force", bundle.id]).run()
            #expect(gone.code == 0, "\(gone.errors)")
            #expect(bus.calls().contains { $0.member == "StopUnit" })
            for name in try Directory.names("/sys/fs/cgroup") { rmdir("/sys/fs/cgroup/\(name)/kubesimtest.slice") }
        }
    }

    @Test("A job that fails takes everything back, and systemd's absence is told")
    func tellsFailures() async throws {
        try await TestBundle.use { bundle in
            let bus = try FakeBus(bundle.scratch.file("bus"), result: "failed")
            bundle.spec.linux { $0.cgroupsPath = "kubesimtest.slice:test:\(bundle.id)" }
            try bundle.write()
            let words = [
                "/usr/bin/env", "DBUS_SYSTEM_BUS_ADDRESS=unix:path=\(bus.path)", TestBundle.program, "--root",
                bundle.state, "--systemd-cgroup", "run", "--bundle", bundle.path, bundle.id,
            ]
            bus.serve(connections: 3)
            let failed = try await Command(words).run()
            #expect(failed.code == 1)
            #expect(
                failed.errors.contains("StartTransientUnit test-\(bundle.id).scope: the job ended with \"failed\""),
                "\(failed)")
            #expect(!File.exists(bundle.state + "/" + bundle.id))
            let nobody = words.map { $0.hasPrefix("DBUS") ? "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/not/there" : $0 }
            let alone = try await Command(nobody).run()
            #expect(alone.errors.contains("systemd: open /not: No such file or directory"), "\(alone)")
            bundle.spec.linux { $0.cgroupsPath = "/plain/path" }
            try bundle.write()
            #expect(try await Command(words).run().errors.contains("expected cgroupsPath to be of format"))
            for name in try Directory.names("/sys/fs/cgroup") { rmdir("/sys/fs/cgroup/\(name)/kubesimtest.slice") }
        }
    }
}

/// A message bus with a systemd that says yes to everything.
private final class FakeBus: @unchecked Sendable {
    let path: String
    private let listener: UnixSocket
    private let result: String
    private var received: [DBusMessage] = []
    private var lock = pthread_mutex_t()

    init(_ path: String, result: String = "done") throws {
        self.path = path
        self.result = result
        listener = try UnixSocket.listen(at: path, .stream)
        pthread_mutex_init(&lock, nil)
    }

    func calls() -> [DBusMessage] {
        pthread_mutex_lock(&lock)
        defer { pthread_mutex_unlock(&lock) }
        return received
    }

    private func note(_ message: DBusMessage) {
        pthread_mutex_lock(&lock)
        received.append(message)
        pthread_mutex_unlock(&lock)
    }

    func serve(connections: Int) {
        TestThread.start { [self] in
            for _ in 0..<connections {
                guard sys_poll(listener.descriptor.raw, Int16(POLLIN), 10_000) > 0 else { return }
                try? serveOne()
            }
        }
    }

    private func serveOne() throws {
        let client = try listener.accept()
        var bytes: [UInt8] = []
        while !bytes.contains(UInt8(ascii: "\n")) { bytes += try client.receive().bytes }
        try client.send(Array("OK 1234\r\n".utf8))
        while !bytes.ends(with: "BEGIN\r\n") {
            let more = try client.receive().bytes
            if more.isEmpty { return }
            bytes += more
            // The first call may follow at once.
            if let end = bytes.firstRange(of: Array("BEGIN\r\n".utf8)) {
                bytes.removeSubrange(..<end.upperBound)
                break
            }
        }
        if bytes.ends(with: "BEGIN\r\n") { bytes = [] }
        while true {
            while bytes.count < 16 {
                let more = try client.receive().bytes
                if more.isEmpty { return }
                bytes += more
            }
            let length = try DBusMessage.length(bytes[..<16])
            while bytes.count < length { bytes += try client.receive().bytes }
            let call = try DBusMessage(Array(bytes[..<length])[...])
            bytes.removeFirst(length)
            note(call)
            var answer = DBusMessage(kind: .answer)
            answer.serial = call.serial
            answer.replySerial = call.serial
            let begins = call.member == "StartTransientUnit" || call.member == "StopUnit"
            if begins { answer.body = [.objectPath("/job/1")] }
            try client.send(answer.encoded())
            if begins {
                var signal = DBusMessage(kind: .signal)
                signal.serial = 99
                signal.path = "/org/freedesktop/systemd1"
                signal.interface = "org.freedesktop.systemd1.Manager"
                signal.member = "JobRemoved"
                signal.body = [.uint32(1), .objectPath("/job/1"), call.body[0], .string(result)]
                try client.send(signal.encoded())
            }
        }
    }
}

extension [UInt8] {
    fileprivate func ends(with text: String) -> Bool { suffix(text.utf8.count).elementsEqual(text.utf8) }
}
