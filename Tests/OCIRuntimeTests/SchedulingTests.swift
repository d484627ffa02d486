import Glibc
import JSON
import Linux
import OCISpec
import TestKit
import Testing

@testable import OCIRuntime

@Suite("Scheduling, affinity and memory policy", .needs(.root, .programs, .busybox))
struct SchedulingTests {
    @Test("The scheduler's policy reaches the program and those of exec")
    func setsScheduler() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.process?.scheduler = Scheduler(policy: "SCHED_BATCH", nice: 5)
            // The 41st field: the policy, 3 for SCHED_BATCH.
            let policy = "set -- $(cat /proc/self/stat); echo ${41}"
            #expect(try await bundle.output(of: policy) == "3\n")
            try await bundle.startSleeper()
            // The 19th field, after the name: nice.
            let stat = try File.readText("/proc/\(try await bundle.pid())/stat").split(separator: " ")
            #expect(stat[18] == "5")
            #expect(try await bundle.oci("exec", bundle.id, "/bin/sh", "-c", policy).output == "3\n")
        }
    }

    @Test("What contradicts itself is refused by its name")
    func refusesContradictions() throws {
        func refusal(_ scheduler: Scheduler) -> String {
            do throws(RuntimeError) {
                _ = try SchedulingPlan(OCISpec.Process(scheduler: scheduler))
                return ""
            } catch {
                return error.description
            }
        }
        #expect(refusal(Scheduler(policy: "SCHED_MAGIC")).contains("invalid scheduler policy: SCHED_MAGIC"))
        #expect(refusal(Scheduler(policy: "SCHED_FIFO", nice: 20)).contains("scheduler.nice"))
        // To this policy it means nothing.
        #expect(refusal(Scheduler(policy: "SCHED_FIFO", nice: 3, priority: 1)) == "")
        #expect(refusal(Scheduler(policy: "SCHED_OTHER", priority: 3)).contains("priority"))
        #expect(refusal(Scheduler(policy: "SCHED_RR", runtime: 5)).contains("SCHED_DEADLINE"))
        #expect(refusal(Scheduler(policy: "SCHED_OTHER", flags: ["X"])).contains("invalid scheduler flag: X"))
    }

    @Test("The I/O priority reaches the program and those of exec")
    func setsIOPriority() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.process?.ioPriority = LinuxIOPriority(class: "IOPRIO_CLASS_BE", priority: 6)
            #expect(try await bundle.output(of: "ionice -p 1") == "best-effort: prio 6\n")
            try await bundle.startSleeper()
            #expect(
                try await bundle.oci("exec", bundle.id, "/bin/sh", "-c", "ionice -p $$").output
                    == "best-effort: prio 6\n")
            bundle.spec.process?.ioPriority = LinuxIOPriority(class: "IOPRIO_CLASS_NONE")
            #expect(throws: RuntimeError.self) { try SchedulingPlan(#require(bundle.spec.process)) }
        }
    }

    @Test("exec runs on the processors that it is given; otherwise wherever the container may")
    func bindsExec() async throws {
        try await TestBundle.use { bundle in
            try await bundle.startSleeper()
            var process = try #require(bundle.spec.process)
            process.args = ["/bin/grep", "Cpus_allowed_list", "/proc/self/status"]
            process.execCPUAffinity = CPUAffinity(initial: "0", final: "1")
            let file = try bundle.scratch.write("process.json", String(decoding: process.encoded(), as: UTF8.self))
            let bound = try await bundle.oci("exec", "--process", file, bundle.id)
            #expect(bound.output == "Cpus_allowed_list:\t1\n", "\(bound)")
            // The runtime's own processors are no business of the container's.
            let words = ["taskset", "-c", "0", TestBundle.program, "--root", bundle.state, "exec", bundle.id]
            let free = try await Command(words + ["/bin/grep", "Cpus_allowed_list", "/proc/self/status"]).run()
            #expect(free.output != "Cpus_allowed_list:\t0\n", "\(free)")
        }
    }

    @Test("Lists of processors are the kernel's")
    func readsLists() {
        #expect(ProcessorSet("0-3,7")?.numbers == [0, 1, 2, 3, 7])
        #expect(ProcessorSet("1")?.mask == [2, 0, 0, 0, 0, 0, 0, 0])
        #expect(ProcessorSet("64")?.mask.count == 16)
        for text in ["", "a", "3-1", "-1", "1-", "99999"] { #expect(ProcessorSet(text) == nil, "\(text)") }
    }

    @Test("A memory policy is checked, and set as far as the kernel has nodes")
    func setsMemoryPolicy() async throws {
        func refusal(_ policy: LinuxMemoryPolicy) -> String {
            do throws(RuntimeError) {
                _ = try MemoryPolicyPlan(policy)
                return ""
            } catch {
                return error.description
            }
        }
        #expect(refusal(LinuxMemoryPolicy(mode: "MPOL_X")).contains("invalid memory policy mode"))
        #expect(refusal(LinuxMemoryPolicy(mode: "MPOL_BIND", nodes: "x")).contains("invalid memory policy node"))
        #expect(refusal(LinuxMemoryPolicy(mode: "MPOL_BIND")).contains("requires at least one node"))
        #expect(
            refusal(LinuxMemoryPolicy(mode: "MPOL_DEFAULT", nodes: "0-7")).contains("mode requires 0 nodes but got 8"))
        #expect(refusal(LinuxMemoryPolicy(mode: "MPOL_LOCAL", flags: ["F"])).contains("invalid memory policy flag"))
        let plan = try MemoryPolicyPlan(LinuxMemoryPolicy(mode: "MPOL_INTERLEAVE", nodes: "0,65"))
        #expect(plan.mode == 3)
        #expect(plan.nodes == [1, 2])
        try await TestBundle.use { bundle in
            bundle.spec.linux { $0.memoryPolicy = LinuxMemoryPolicy(mode: "MPOL_DEFAULT") }
            let outcome = try await bundle.run(script: "true")
            // A kernel without NUMA says that it has no such call.
            #expect(
                outcome.code == 0 || outcome.errors.contains("linux.memoryPolicy: set_mempolicy: Function not"),
                "\(outcome)")
        }
    }

    @Test("The execution domain is that of the configuration, for exec too")
    func setsPersonality() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.linux { $0.personality = LinuxPersonality(domain: "LINUX32") }
            #expect(try await bundle.output(of: "uname -m") == "i686\n")
            try await bundle.startSleeper()
            #expect(try await bundle.oci("exec", bundle.id, "/bin/uname", "-m").output == "i686\n")
        }
    }
}
