import Glibc
import JSON
import Linux
import OCISpec
import TestKit
import Testing

@Suite("Hooks", .needs(.root, .programs, .busybox))
struct HookTests {
    /// A hook that notes its name, its mount namespace and the state that it was given.
    private func hook(_ name: String, _ log: String) -> Hook {
        let script = "cat > \(log).\(name); echo \(name) $(readlink /proc/self/ns/mnt) >> \(log)"
        return Hook(path: "/bin/busybox", args: ["sh", "-c", script], env: ["PATH=/bin"])
    }

    @Test("All six run in order, in the right namespaces, with the state on standard input")
    func runsAll() async throws {
        try await TestBundle.use { bundle in
            let folder = try bundle.scratch.directory("bundle/rootfs/log")
            let log = folder + "/log"
            bundle.spec.root?.readonly = false
            // createContainer runs before pivot_root, so the host's paths still lead somewhere; startContainer runs after it.
            bundle.spec.hooks = Hooks(
                prestart: [hook("prestart", log)], createRuntime: [hook("createRuntime", log)],
                createContainer: [hook("createContainer", log)], startContainer: [hook("startContainer", "/log/log")],
                poststart: [hook("poststart", log)], poststop: [hook("poststop", log)])
            bundle.spec.annotations = ["note": "kept"]
            try await bundle.startSleeper()
            let pid = try await bundle.pid()
            let inner = try File.readLink("/proc/\(pid)/ns/mnt")
            #expect(try await bundle.oci("delete", "--force", bundle.id).code == 0)
            let lines = try File.readText(log).split(separator: "\n").map { $0.split(separator: " ") }
            #expect(
                lines.map { String($0[0]) } == [
                    "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
                ])
            let outer = try File.readLink("/proc/self/ns/mnt")
            #expect(lines.map { String($0[1]) } == [outer, outer, inner, inner, outer, outer])
            for (name, status, number) in [
                ("prestart", "created", Int64(pid)), ("createRuntime", "creating", Int64(pid)),
                ("startContainer", "created", 1),
                ("poststart", "running", Int64(pid)),
            ] {
                let state = try JSONValue.parse(try File.read("\(log).\(name)"))
                #expect(state["status"]?.stringValue == status)
                #expect(state["id"]?.stringValue == bundle.id)
                #expect(state["pid"]?.intValue == number)
                #expect(state["bundle"]?.stringValue == bundle.path)
                #expect(state["annotations"]?["note"]?.stringValue == "kept")
            }
        }
    }

    @Test("createContainer hooks stand in the container's root, startContainer hooks have the program's environment")
    func findThemselves() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.root?.readonly = false
            bundle.spec.process?.env.append("WHO=program")
            bundle.spec.hooks = Hooks(
                createContainer: [Hook(path: "/bin/busybox", args: ["touch", "here"])],
                startContainer: [Hook(path: "/bin/sh", args: ["sh", "-c", "echo $WHO $HOME > there"])])
            let output = try await bundle.output(of: "ls here; cat there")
            #expect(output == "here\nprogram /\n")
        }
    }

    @Test(
        "A hook that fails on the way takes everything back, and is named with its words",
        arguments: ["prestart", "createRuntime", "createContainer"])
    func failsCreate(point: String) async throws {
        try await TestBundle.use { bundle in
            let bad = Hook(path: "/bin/busybox", args: ["sh", "-c", "echo no luck >&2; exit 3"])
            var hooks = Hooks()
            switch point {
            case "prestart": hooks.prestart = [bad]
            case "createRuntime": hooks.createRuntime = [bad]
            default: hooks.createContainer = [bad]
            }
            bundle.spec.hooks = hooks
            try await bundle.expectFailure(
                "error running \(point) hook #0: /bin/busybox: exit status 3, output: no luck")
        }
    }

    @Test("A hook that takes too long is killed")
    func timesOut() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.hooks = Hooks(createRuntime: [Hook(path: "/bin/busybox", args: ["sleep", "1000"], timeout: 1)])
            try await bundle.expectFailure("timed out after 1 s")
        }
    }

    @Test("A container whose startContainer or poststart hook fails is stopped, and start says why")
    func failsStart() async throws {
        let bad = Hook(path: "/bin/busybox", args: ["sh", "-c", "exit 4"])
        for hooks in [Hooks(startContainer: [bad]), Hooks(poststart: [bad])] {
            try await TestBundle.use { bundle in
                bundle.spec.hooks = hooks
                bundle.spec.process?.args = ["/bin/sleep", "1000"]
                try bundle.write()
                #expect(try await bundle.oci("create", "--bundle", bundle.path, bundle.id).code == 0)
                let outcome = try await bundle.oci("start", bundle.id)
                #expect(outcome.code == 1)
                #expect(outcome.errors.contains("hook #0: /bin/busybox: exit status 4"), "\(outcome.errors)")
                try await bundle.waitStopped()
            }
        }
    }
}
