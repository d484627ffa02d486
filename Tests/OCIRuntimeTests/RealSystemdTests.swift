import Glibc
import Linux
import OCISpec
import TestKit
import Testing

@testable import OCIRuntime

@Suite("A container of systemd's, with systemd itself", .needs(.root, .programs, .busybox, .systemdBus))
struct RealSystemdTests {
    @Test(
        "The scope is in its slice and has the limits; update changes them, a reload keeps them, delete takes it away")
    func drives() async throws {
        try await useUnit { bundle, unit in
            bundle.spec.linux {
                $0.resources?.memory = LinuxMemory(limit: 64 << 20, reservation: 32 << 20, swap: 64 << 20)
                $0.resources?.cpu = LinuxCPU(shares: 1024, quota: 50_000, period: 100_000, cpus: "0")
                $0.resources?.pids = LinuxPids(limit: 33)
            }
            try await unit.start(bundle)
            #expect(
                try await unit.properties(
                    "ActiveState", "AllowedCPUs", "CPUQuotaPerSecUSec", "CPUWeight", "Delegate", "Description",
                    "DevicePolicy", "MemoryLow", "MemoryMax", "MemorySwapMax", "Slice", "TasksMax", "Transient") == [
                        "ActiveState=active", "AllowedCPUs=0", "CPUQuotaPerSecUSec=500ms", "CPUWeight=100",
                        "Delegate=yes",
                        "Description=kubesim-oci container \(bundle.id)", "DevicePolicy=strict", "MemoryLow=33554432",
                        "MemoryMax=67108864", "MemorySwapMax=0", "Slice=kubesimtest.slice", "TasksMax=33",
                        "Transient=yes",
                    ])
            let folder = "/kubesimtest.slice/\(unit.name)"
            #expect(try File.readText("/proc/\(try await bundle.pid())/cgroup").contains(folder + "\n"))
            let update = try await bundle.oci(
                "update", "--memory", "128M", "--memory-swap", "-1", "--pids-limit", "44", "--cpu-quota", "20000",
                bundle.id)
            #expect(update.code == 0, "\(update.errors)")
            let changed = ["CPUQuotaPerSecUSec=200ms", "MemoryMax=134217728", "MemorySwapMax=infinity", "TasksMax=44"]
            #expect(
                try await unit.properties("CPUQuotaPerSecUSec", "MemoryMax", "MemorySwapMax", "TasksMax") == changed)
            // systemd writes its own view of every limit, and of the devices, when it is told anew what its units are.
            #expect(try await Command(["systemctl", "daemon-reload"]).run().code == 0)
            #expect(try File.readText("/sys/fs/cgroup\(folder)/pids.max") == "44\n")
            #expect(try File.readText("/sys/fs/cgroup\(folder)/memory.max") == "134217728\n")
            #expect(try File.readText("/sys/fs/cgroup\(folder)/cpu.max") == "20000 100000\n")
            let inside = try await bundle.oci("exec", bundle.id, "/bin/sh", "-c", "echo > /dev/null && echo works")
            #expect(inside.output == "works\n", "\(inside.errors)")
            try await bundle.expectDeletion()
            #expect(try await unit.properties("LoadState") == ["LoadState=not-found"])
            #expect(!File.exists("/sys/fs/cgroup" + folder))
        }
    }

    @Test("Annotations are properties of the unit, and one that systemd doesn't know is refused with its words")
    func passesAnnotations() async throws {
        try await useUnit { bundle, unit in
            bundle.spec.annotations = [
                "org.systemd.property.TimeoutStopSec": "uint64 5", "org.systemd.property.Description": "'mine'",
                "org.systemd.property.CollectMode": "'inactive-or-failed'",
            ]
            try await unit.start(bundle)
            #expect(
                try await unit.properties("CollectMode", "Description", "TimeoutStopUSec") == [
                    "CollectMode=inactive-or-failed", "Description=mine", "TimeoutStopUSec=5s",
                ])
            try await bundle.expectDeletion()
            bundle.spec.annotations = ["org.systemd.property.NoSuchThing": "'x'"]
            try bundle.write()
            let refused = try await unit.create(bundle)
            #expect(refused.code == 1)
            #expect(refused.errors.contains("systemd: StartTransientUnit: "), "\(refused.errors)")
            #expect(refused.errors.contains("NoSuchThing"), "\(refused.errors)")
            #expect(try await unit.properties("LoadState") == ["LoadState=not-found"])
        }
    }

    @Test("A paused container's scope stands still, whatever systemd does, and goes on; paused, it can be deleted")
    func pauses() async throws {
        try await useUnit { bundle, unit in
            try await unit.start(bundle)
            for (verb, status, frozen) in [("pause", "paused", 1), ("resume", "running", 0), ("pause", "paused", 1)] {
                let outcome = try await bundle.oci(verb, bundle.id)
                #expect(outcome.code == 0, "\(outcome.errors)")
                #expect(try await Command(["systemctl", "daemon-reload"]).run().code == 0)
                #expect(try await bundle.status() == status)
                let events = try File.readText("/sys/fs/cgroup/kubesimtest.slice/\(unit.name)/cgroup.events")
                #expect(events.contains("frozen \(frozen)\n"))
            }
            try await bundle.expectDeletion()
            #expect(try await unit.properties("LoadState") == ["LoadState=not-found"])
        }
    }

    @Test("A container whose init was killed leaves no scope, and is deleted all the same")
    func vanishesWithItsInit() async throws {
        try await useUnit { bundle, unit in
            try await unit.start(bundle)
            kill(try await bundle.pid(), SIGKILL)
            try await bundle.waitStopped()
            try await eventually("the scope is gone") {
                try await unit.properties("LoadState") == ["LoadState=not-found"]
            }
            #expect(!File.exists("/sys/fs/cgroup/kubesimtest.slice/\(unit.name)"))
            try await bundle.expectDeletion(force: false)
        }
    }

    @Test("A scope that systemd takes away while everybody in it is killed is a success", arguments: [false, true])
    func losesItsScope(stopped: Bool) async throws {
        try await useUnit { bundle, unit in
            // Without a pid namespace the init's end isn't the others'.
            bundle.spec.linux { $0.namespaces.removeAll { $0.type == .pid } }
            for _ in 0..<10 {
                try await unit.start(bundle)
                let other = try await bundle.oci("exec", "-d", bundle.id, "/bin/sleep", "1000")
                #expect(other.code == 0, "\(other.errors)")
                async let stop = stopped ? Command(["systemctl", "stop", unit.name]).run() : nil
                try await bundle.expectDeletion()
                _ = try await stop
                #expect(try await unit.properties("LoadState") == ["LoadState=not-found"])
            }
        }
    }

    @Test("A unit that another container has is refused, and that one runs on; one that has failed makes room")
    func sparesOthers() async throws {
        try await useUnit { bundle, unit in
            try await unit.start(bundle)
            let refused = try await unit.create(bundle, id: bundle.id + "-2")
            #expect(refused.code == 1)
            #expect(refused.errors.contains("\(unit.name) was already loaded"), "\(refused.errors)")
            #expect(try await bundle.status() == "running")
            try await bundle.expectDeletion()
            // Nobody has asked how this one ended, so systemd keeps it.
            let failing = try await Command([
                "systemd-run", "--quiet", "--scope", "--unit", unit.name, "--property", "RuntimeMaxSec=1", "sleep",
                "1000",
            ]).run()
            #expect(failing.code != 0)
            #expect(try await unit.properties("ActiveState") == ["ActiveState=failed"])
            try await unit.start(bundle)
            try await bundle.expectDeletion()
        }
    }

    private func useUnit(_ body: (inout TestBundle, Unit) async throws -> Void) async throws {
        try await TestBundle.use { bundle in
            let unit = Unit(name: "test-\(bundle.id).scope")
            bundle.spec.linux { $0.cgroupsPath = "kubesimtest.slice:test:\(bundle.id)" }
            bundle.scratch.atEnd {
                for words in [["stop", unit.name, "kubesimtest.slice"], ["reset-failed", unit.name]] {
                    _ = try? Command(["systemctl"] + words).runBlocking()
                }
            }
            try await body(&bundle, unit)
        }
    }
}

/// A scope as systemd has it.
private struct Unit: Sendable {
    let name: String

    /// "NAME=value" each, by name.
    func properties(_ names: String...) async throws -> [String] {
        let flags = names.flatMap { ["--property", $0] }
        let outcome = try await Command(["systemctl", "show", name] + flags).run()
        #expect(outcome.code == 0, "\(outcome.errors)")
        return outcome.output.split(separator: "\n").map(String.init).sorted()
    }

    func create(_ bundle: TestBundle, id: String? = nil) async throws -> Command.Outcome {
        try await bundle.oci("--systemd-cgroup", "create", "--bundle", bundle.path, id ?? bundle.id)
    }

    func start(_ bundle: TestBundle) async throws {
        var copy = bundle
        copy.spec.process?.args = ["/bin/sleep", "1000"]
        try copy.write()
        let created = try await create(copy)
        try #require(created.code == 0, "\(created.errors)")
        let started = try await copy.oci("start", copy.id)
        try #require(started.code == 0, "\(started.errors)")
    }
}

extension TestBundle {
    fileprivate func expectDeletion(
        force: Bool = true, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let outcome = try await oci("delete", force ? "--force" : "--force=false", id)
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome)", sourceLocation: sourceLocation)
    }
}
