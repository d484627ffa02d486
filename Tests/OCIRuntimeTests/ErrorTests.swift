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
            #expect(nowhere.errors == "kubesim-oci run failed: bundle /not/there: No such file or directory\n")
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

    @Test("--help explains the program and each command", arguments: ["--help", "-h"])
    func explains(flag: String) async throws {
        let whole = try await Command([TestBundle.program, flag]).run()
        #expect(whole.code == 0)
        #expect(whole.output.hasPrefix("NAME:\n   kubesim-oci - Open Container Initiative runtime\n"))
        for name in CommandSyntax.names {
            #expect(whole.output.contains("\n   \(name) "), "\(name)")
            let one = try await Command([TestBundle.program, name, flag]).run()
            #expect(one.code == 0)
            #expect(one.output.hasPrefix("NAME:\n   kubesim-oci \(name) - "), "\(one)")
        }
        let unknown = try await Command([TestBundle.program, "foo", flag]).run()
        #expect(unknown.code == 1)
        #expect(unknown.errors.contains("No help topic for 'foo'"))
    }

    @Test("Too few and too many arguments are told in runc's words, with the help")
    func countsArguments() async throws {
        for (words, text) in [
            (["state"], "\"state\" requires exactly 1 argument(s)"), (["start", "a", "b"], "exactly 1 argument(s)"),
            (["kill"], "a minimum of 1 argument(s)"), (["kill", "a", "b", "c"], "a maximum of 2 argument(s)"),
            (["list", "x"], "exactly 0 argument(s)"), (["exec"], "a minimum of 1 argument(s)"),
        ] {
            let outcome = try await Command([TestBundle.program] + words).run()
            #expect(outcome.code == 1)
            #expect(outcome.errors.contains(text), "\(outcome.errors)")
            #expect(outcome.output.hasPrefix("Incorrect Usage.\n\nNAME:"))
        }
    }

    @Test("Global options that make no sense are named")
    func refusesGlobals() async throws {
        for (words, text) in [
            (["--root", "/", "list"], "--root argument should not be set to /"),
            (["--root", "/x/..", "list"], "--root argument should not be set to /"),
            (["--rootless", "maybe", "list"], "--rootless maybe: must be true, false or auto"),
            (["--log-format", "xml", "list"], "unknown log-format \"xml\""),
        ] {
            let outcome = try await Command([TestBundle.program] + words).run()
            #expect(outcome.code == 1)
            #expect(outcome.errors.contains(text), "\(outcome.errors)")
        }
    }

    @Test("Flags come in every form that runc takes")
    func readsFlags() throws {
        var words = Arguments(["-b", "/x", "--pid-file=/p", "-detach", "id", "--keep=false", "--", "--not-a-flag"])
        let flags = try words.flags(of: #require(CommandSyntax.of("run")))
        #expect(flags["bundle"] == "/x")
        #expect(flags["pid-file"] == "/p")
        #expect(flags.has("detach"))
        #expect(!flags.has("keep"))
        #expect(words.remaining == ["id", "--not-a-flag"])
        // Another program's command line is left alone.
        var command = Arguments(["-t", "id", "ls", "-l"])
        #expect(try command.flags(of: #require(CommandSyntax.of("exec"))).has("tty"))
        #expect(command.remaining == ["id", "ls", "-l"])
        var unknown = Arguments(["--what"])
        let syntax = try #require(CommandSyntax.of("state"))
        #expect(throws: RuntimeError.self) { try unknown.flags(of: syntax) }
    }

    @Test("spec writes a configuration that runs, and never over another")
    func writesSpec() async throws {
        try await TestBundle.use { bundle in
            #expect(try await bundle.oci("spec", "--bundle", bundle.path).code == 0)
            let spec = try Spec.read(try File.read(bundle.path + "/config.json"))
            #expect(spec.validateForStart().isEmpty)
            #expect(try await bundle.oci("spec", "--bundle", bundle.path).errors.contains("Remove it first"))
            unlink(bundle.path + "/config.json")
            #expect(try await bundle.oci("spec", "--rootless", "--bundle", bundle.path).code == 0)
            let rootless = try Spec.read(try File.read(bundle.path + "/config.json"))
            #expect(rootless.validateForStart().isEmpty)
            #expect(rootless.linux?.namespaces.contains { $0.type == .user } == true)
            #expect(rootless.linux?.namespaces.contains { $0.type == .network } == false)
            #expect(rootless.linux?.uidMappings == [LinuxIDMapping(containerID: 0, hostID: geteuid(), size: 1)])
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
