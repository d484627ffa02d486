import ArgumentParser
import CRI
import Glibc
import Synchronization
import TestKit
import Testing

@testable import CRICtl

@Suite("crictl's verbs", .serialized)
struct VerbTests {
    @Test("stop, start, stopp and rmp say what they did") func lifecycle() async throws {
        try await Fixture.use { fixture in
            #expect(try await fixture.crictl("stop", "-t", "7", "c1", "c2").output == "c1\nc2\n")
            #expect(fixture.runtime.request("stopContainer", as: CRIStopContainerRequest.self)?.timeout == 7)
            #expect(try await fixture.crictl("start", "c1").output == "c1\n")
            #expect(try await fixture.crictl("stopp", "p1").output == "Stopped sandbox p1\n")
            var status = CRIPodSandboxStatusResponse()
            status.status.state = .sandboxReady
            fixture.runtime.answer("podSandboxStatus", status)
            let refused = try await fixture.crictl("rmp", "p1")
            #expect(refused.failure == "pod sandbox \"p1\" is running, please stop it first")
            #expect(try await fixture.crictl("rmp", "-f", "p1").output == "Stopped sandbox p1\nRemoved sandbox p1\n")
        }
    }

    @Test("rm removes the log and its rotations, and keeps them with -k") func rm() async throws {
        try await Fixture.use { fixture in
            var status = CRIContainerStatusResponse()
            status.status.state = .containerExited
            status.status.logPath = try fixture.scratch.write("0.log", "x")
            fixture.runtime.answer("containerStatus", status)
            let rotated = try fixture.scratch.write("0.log.20260501", "x")
            let other = try fixture.scratch.write("0.logbook", "x")
            #expect(try await fixture.crictl("rm", "-k", "c1").output == "c1\n")
            #expect(access(rotated, F_OK) == 0)
            #expect(try await fixture.crictl("rm", "c1").output == "c1\n")
            #expect(access(rotated, F_OK) != 0)
            #expect(access(other, F_OK) == 0)
        }
    }

    @Test("an error names what was being done") func errors() async throws {
        try await Fixture.use { fixture in
            fixture.runtime.fail("startContainer", CRIError(.notFound, "no container \"zz\""))
            let printed = try await fixture.crictl("start", "zz")
            #expect(printed.failure == "starting the container \"zz\": no container \"zz\"")
            #expect(printed.code == 1)
        }
    }

    @Test("exec -s prints what came out and ends with the command's code") func execSync() async throws {
        try await Fixture.use { fixture in
            var answer = CRIExecSyncResponse()
            answer.stdout = .init("out".utf8)
            answer.stderr = .init("err".utf8)
            fixture.runtime.answer("execSync", answer)
            #expect(
                try await fixture.crictl("exec", "-s", "--timeout", "5", "c1", "ls", "-l", "-a").output == "out\nerr\n")
            let request = fixture.runtime.request("execSync", as: CRIExecSyncRequest.self)
            #expect(request?.cmd == ["ls", "-l", "-a"])
            #expect(request?.timeout == 5)
            answer.exitCode = 42
            fixture.runtime.answer("execSync", answer)
            let failed = try await fixture.crictl("exec", "--sync", "c1", "--", "false")
            #expect(failed.code == 42)
            #expect(failed.output == "out" && failed.errors == "err")
            #expect(fixture.runtime.request("execSync", as: CRIExecSyncRequest.self)?.cmd == ["false"])
        }
    }

    @Test("runp, create and run read JSON and YAML with the protocol's names") func run() async throws {
        try await Fixture.use { fixture in
            let pod = try fixture.scratch.write(
                "pod.json",
                """
                {"metadata": {"name": "web", "namespace": "default", "attempt": 1}, "log_directory": "/tmp",
                 "linux": {"security_context": {"namespace_options": {"network": 2}}}}
                """)
            let container = try fixture.scratch.write(
                "container.yaml",
                """
                metadata: {name: web}
                image: {image: localhost/web}
                command: [sh, -c, "exit 3"]
                envs: [{key: A, value: "1 = ü"}]
                log_path: web.0.log
                linux: {resources: {memory_limit_in_bytes: 67108864}}
                unknown_to_us: 1
                """)
            var started = CRIRunPodSandboxResponse()
            started.podSandboxID = "p1"
            fixture.runtime.answer("runPodSandbox", started)
            var created = CRICreateContainerResponse()
            created.containerID = "c1"
            fixture.runtime.answer("createContainer", created)
            #expect(try await fixture.crictl("runp", pod).output == "p1\n")
            let sandbox = fixture.runtime.request("runPodSandbox", as: CRIRunPodSandboxRequest.self)?.config
            #expect(sandbox?.logDirectory == "/tmp")
            #expect(sandbox?.linux.securityContext.namespaceOptions.network == .node)
            #expect(sandbox?.metadata.uid.isEmpty == false)
            #expect(try await fixture.crictl("create", "p1", container, pod).output == "c1\n")
            let config = fixture.runtime.request("createContainer", as: CRICreateContainerRequest.self)?.config
            #expect(config?.command == ["sh", "-c", "exit 3"])
            #expect(config?.envs.first?.value == .init("1 = ü".utf8))
            #expect(config?.linux.resources.memoryLimitInBytes == 67_108_864)
            #expect(config?.image.userSpecifiedImage == "localhost/web")
            #expect(try await fixture.crictl("run", container, pod).output == "c1\n")
            #expect(fixture.runtime.calls.contains("pullImage"))
            #expect(fixture.runtime.calls.last == "startContainer")
            let missing = try await fixture.crictl("runp", "/nowhere.yaml")
            #expect(missing.failure == "config at /nowhere.yaml not found")
        }
    }

    @Test("rmi --prune spares pinned images and those in use") func prune() async throws {
        try await Fixture.use { fixture in
            var response = CRIListImagesResponse()
            response.images = ["pinned", "used", "free"].map { name in
                var image = CRIImage()
                image.id = "sha256:\(name)"
                image.repoTags = ["localhost/\(name):latest"]
                image.pinned = name == "pinned"
                return image
            }
            let images = response.images
            fixture.runtime.answer("listImages", response)
            let answer: @Sendable (CRIImageStatusRequest) -> CRIImageStatusResponse = { request in
                var response = CRIImageStatusResponse()
                if let image = images.first(where: { $0.id == request.image.image }) { response.image = image }
                return response
            }
            fixture.runtime.answer("imageStatus", answer)
            var containers = CRIListContainersResponse()
            containers.containers = [TableTests.container()]
            containers.containers[0].image.image = "sha256:used"
            fixture.runtime.answer("listContainers", containers)
            #expect(try await fixture.crictl("rmi", "--prune").output == "Deleted: localhost/free:latest\n")
            let gone = try await fixture.crictl("rmi", "nope")
            #expect(gone.failure == "no such image nope")
        }
    }

    @Test("config writes, keeps comments and reads back") func config() async throws {
        try await Scratch.use { scratch in
            let path = try scratch.write("crictl.yaml", "# mine\ntimeout: 3\n")
            let options = try GlobalOptions.parse(["--config", path])
            let heard = Mutex<[UInt8]>([])
            let output = Output(write: { b in heard.withLock { $0 += b } }, writeError: { _ in }, isTerminal: false)
            try await Output.$current.withValue(output) {
                try await CRICtlCommand.execute(["config", "--set", "timeout=30,debug=true"], options)
                try await CRICtlCommand.execute(["config", "runtime-endpoint", "unix:///x.sock"], options)
                try await CRICtlCommand.execute(["config", "--get", "timeout"], options)
                await #expect(throws: Failure.self) {
                    try await CRICtlCommand.execute(["config", "--set", "colour=blue"], options)
                }
            }
            #expect(String(decoding: heard.withLock { $0 }, as: UTF8.self) == "30\n")
            let endpoints = try Endpoints(options, environment: { _ in nil })
            #expect(endpoints.runtime == "unix:///x.sock" && endpoints.images == "unix:///x.sock")
            #expect(endpoints.timeout == .seconds(30) && endpoints.debug)
            #expect(try ClientConfiguration.read(path)?["debug"] == "true")
            let text = ClientConfiguration().text(replacing: "# mine\ntimeout: 3\n")
            #expect(text.hasPrefix("# mine\ntimeout: 0\n"))
        }
    }

    @Test("flags come before the environment, and that before the file") func precedence() throws {
        let environment = ["CONTAINER_RUNTIME_ENDPOINT": "unix:///env.sock", "CRI_CONFIG_FILE": "/dev/null"]
        let flagged = try Endpoints(GlobalOptions.parse(["-r", "unix:///flag.sock"]), environment: { environment[$0] })
        #expect(flagged.runtime == "unix:///flag.sock")
        let plain = try Endpoints(GlobalOptions.parse([]), environment: { environment[$0] })
        #expect(plain.runtime == "unix:///env.sock")
        let missing = #expect(throws: Failure.self) {
            _ = try Endpoints(GlobalOptions.parse(["-c", "/nowhere.yaml"]), environment: { _ in nil })
        }
        #expect(missing?.description == "config file /nowhere.yaml: no such file")
    }

    @Test("a runtime that isn't there is said in one clear line") func nobody() async throws {
        let options = try GlobalOptions.parse(["-r", "unix:///nowhere/k.sock", "-c", "/dev/null"])
        let failure = await #expect(throws: Failure.self) { try await CRICtlCommand.execute(["ps"], options) }
        #expect(
            failure?.description == "cannot reach the CRI runtime at unix:///nowhere/k.sock: No such file or directory "
                + "(is `kubesim node` running? give --runtime-endpoint)")
    }

    @Test("the same letters mean other things before and behind the verb") func letters() throws {
        let command = try #require(
            try CRICtlCommand.parseAsRoot(["-t", "5s", "-r", "unix:///x", "logs", "-t", "c1"]) as? CRICtlCommand)
        #expect(command.options.timeout?.duration == .seconds(5))
        #expect(command.arguments == ["logs", "-t", "c1"])
        let logs = try #require(try CRICtlVerbs.parseAsRoot(command.arguments) as? LogsCommand)
        #expect(logs.timestamps && logs.containerID == "c1")
        let exec = try #require(try CRICtlVerbs.parseAsRoot(["exec", "-it", "c1", "sh", "-c", "-t"]) as? ExecCommand)
        #expect(exec.tty && exec.interactive && exec.words == ["c1", "sh", "-c", "-t"])
    }

    @Test("every verb has help, and the overview names it") func help() {
        for verb in CRICtlVerbs.verbs {
            let name = verb.configuration.commandName ?? ""
            #expect(!verb.configuration.abstract.isEmpty)
            #expect(CRICtlCommand.helpMessage().contains("  \(name) "))
        }
    }

    @Test("completions are made for three shells", arguments: ["bash", "zsh", "fish"]) func completion(_ shell: String)
        async throws
    {
        let heard = Mutex<[UInt8]>([])
        let output = Output(write: { b in heard.withLock { $0 += b } }, writeError: { _ in }, isTerminal: false)
        try await Output.$current.withValue(output) {
            try await CRICtlCommand.execute(["completion", shell], try GlobalOptions.parse([]))
        }
        #expect(String(decoding: heard.withLock { $0 }, as: UTF8.self).contains("inspectp"))
    }
}
