import Glibc
import JSON
import Linux
import OCISpec
import TestKit
import Testing

@testable import OCIRuntime

@Suite("Errors and the command line", .needs(.root, .programs, .busybox))
struct ErrorTests {
    @Test("A missing bundle, configuration or root is named")
    func namesWhatIsMissing() async throws {
        try await TestBundle.use { bundle in
            let nowhere = try await bundle.oci("run", "--bundle", "/not/there", bundle.id)
            #expect(nowhere.errors == "kubesim-oci: bundle /not/there: No such file or directory\n")
            let empty = try await bundle.oci("run", "--bundle", bundle.path, bundle.id)
            #expect(empty.errors.contains("JSON specification file \(bundle.path)/config.json not found"))
            bundle.spec.root?.path = "elsewhere"
            try await bundle.expectFailure("root filesystem: stat \(bundle.path)/elsewhere: No such file or directory")
        }
    }

    @Test("All violations of the specification are told at once")
    func tellsAllViolations() async throws {
        try await TestBundle.use { bundle in
            bundle.spec.process?.cwd = "relative"
            bundle.spec.process?.args = []
            bundle.spec.linux { $0.namespaces.append(LinuxNamespace(type: LinuxNamespaceType(rawValue: "magic"))) }
            let outcome = try await bundle.run()
            #expect(outcome.code == 1)
            for text in ["process.cwd", "process.args", "magic"] {
                #expect(outcome.errors.contains(text), "\(outcome.errors)")
            }
        }
    }

    @Test("The log takes the error in runc's shapes", arguments: ["json", "text"])
    func logs(format: String) async throws {
        try await TestBundle.use { bundle in
            let log = bundle.scratch.file("log")
            let outcome = try await Command([
                TestBundle.program, "--root", bundle.state, "--log", log, "--log-format", format, "state", "nobody",
            ]).run()
            #expect(outcome.code == 1)
            let line = try #require(try File.readText(log).split(separator: "\n").last)
            if format == "json" {
                let entry = try JSONValue.parse(Array(line.utf8))
                #expect(entry["level"]?.stringValue == "error")
                #expect(entry["msg"]?.stringValue?.contains("container does not exist: nobody") == true)
                #expect(entry["time"]?.stringValue?.hasSuffix("Z") == true)
            } else {
                #expect(
                    line.hasPrefix("time=\"") && line.contains("level=error msg=\"container does not exist: nobody"))
            }
        }
    }

    @Test("What isn't there yet says so", arguments: ["pause", "resume", "update", "events", "checkpoint", "restore"])
    func namesMissingCommands(command: String) async throws {
        let outcome = try await Command([TestBundle.program, command, "x"]).run()
        #expect(outcome.code == 1)
        #expect(outcome.errors == "kubesim-oci: \(command) is not supported yet\n")
    }

    @Test("--systemd-cgroup is refused by name")
    func refusesSystemd() async throws {
        let outcome = try await Command([TestBundle.program, "--systemd-cgroup", "list"]).run()
        #expect(outcome.code == 1)
        #expect(outcome.errors.contains("systemd cgroup driver"))
    }

    @Test("Flags come in every form that runc takes")
    func readsFlags() throws {
        var words = Arguments(["-b", "/x", "--pid-file=/p", "-detach", "--keep=false", "id", "--not-a-flag"])
        let flags = try words.flags(values: ["b|bundle", "pid-file"], switches: ["d|detach", "keep"])
        #expect(flags["bundle"] == "/x")
        #expect(flags["pid-file"] == "/p")
        #expect(flags.has("detach"))
        #expect(!flags.has("keep"))
        #expect(words.remaining == ["id", "--not-a-flag"])
        var unknown = Arguments(["--what"])
        #expect(throws: RuntimeError.self) { try unknown.flags(values: [], switches: []) }
    }

    @Test("spec writes a configuration that runs, and never over another")
    func writesSpec() async throws {
        try await TestBundle.use { bundle in
            #expect(try await bundle.oci("spec", "--bundle", bundle.path).code == 0)
            let spec = try Spec.read(try File.read(bundle.path + "/config.json"))
            #expect(spec.validateForStart().isEmpty)
            #expect(try await bundle.oci("spec", "--bundle", bundle.path).errors.contains("Remove it first"))
        }
    }

    @Test("features and --version have the shapes that engines read")
    func tellsFeatures() async throws {
        let features = try await JSONValue.parse(Array(Command([TestBundle.program, "features"]).run().output.utf8))
        #expect(features["ociVersionMax"]?.stringValue == Spec.version)
        #expect(features["linux"]?["namespaces"]?.arrayValue?.contains("cgroup") == true)
        #expect(features["linux"]?["capabilities"]?.arrayValue?.contains("CAP_SYS_ADMIN") == true)
        let version = try await Command([TestBundle.program, "--version"]).run().output
        #expect(version.contains("\nspec: \(Spec.version)\n"))
    }
}
