import ShimProtocol
import Streaming
import TestKit
import Testing

@testable import Node

@Suite struct NodeConfigurationTests {
    @Test("keys are read, and what is missing stays open")
    func read() throws {
        let configuration = try NodeConfiguration.parse(
            "root: /srv/node\nnodeName: one\ncniBinDirs: [/a, /b]\nstepDeadline: 2m\n", file: "f.yaml")
        #expect(configuration.stepDeadline == .seconds(120))
        #expect(configuration.wishes.root == "/srv/node")
        #expect(configuration.wishes.state == nil)
        #expect(configuration.nodeName == "one")
        #expect(configuration.cniBinDirs == ["/a", "/b"])
    }

    @Test("NRI's own keys are read below it")
    func nri() throws {
        let configuration = try NodeConfiguration.parse("nri: {enabled: false, socket: /run/n.sock}\n", file: "f.yaml")
        #expect(configuration.nriEnabled == false && configuration.nriSocket == "/run/n.sock")
    }

    @Test("an empty file and one of comments are configurations", arguments: ["", "# nothing\n", "---\n"])
    func empty(_ text: String) throws {
        #expect(try NodeConfiguration.parse(text, file: "f.yaml") == NodeConfiguration())
    }

    @Test(
        "what is wrong is named with file, line and key",
        arguments: [
            ("root: /a\nrooot: /b\n", "f.yaml:2: unknown key \"rooot\""),
            ("root: [1]\n", "f.yaml:1: \"root\" must be a text"),
            ("\ncniBinDirs: /a\n", "f.yaml:2: \"cniBinDirs\" must be a list of texts"),
            ("stepDeadline: soon\n", "f.yaml:1: \"stepDeadline\" must be a time like 60s or 2m"),
            ("nri: yes\n", "f.yaml:1: \"nri\" must be a mapping with the keys enabled and socket"),
            ("nri: {enable: true}\n", "f.yaml:1: unknown key \"nri.enable\"; there are enabled and socket"),
            ("- a\n", "the configuration f.yaml must be a mapping"),
            ("root: [\n", "the configuration f.yaml is not YAML"),
        ])
    func wrong(_ text: String, _ message: String) {
        let error = #expect(throws: NodeError.self) { try NodeConfiguration.parse(text, file: "f.yaml") }
        #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
    }

    @Test("a flag wins over the file")
    func over() {
        let both = NodePlaces.Wishes(root: "/flag").over(.init(root: "/file", state: "/file-state"))
        #expect(both == .init(root: "/flag", state: "/file-state"))
    }

    @Test("a container's log is limited as kubelet limits it, and in kubelet's words")
    func logs() throws {
        let standard = try #require(try NodeConfiguration().containerLogs.limit())
        #expect(standard.fileBytes == 10 << 20 && standard.files == 5)
        let text = "containerLogMaxSize: 1500Ki\ncontainerLogMaxFiles: 3\n"
        let wishes = try NodeConfiguration.parse(text, file: "f.yaml").containerLogs
        #expect(try wishes.limit()?.fileBytes == 1500 << 10)
        #expect(try ContainerLogWishes(maxFiles: "7").over(wishes).limit()?.files == 7)
        #expect(try ContainerLogWishes(maxSize: "-1").limit() == nil)
        for (size, files) in [("many", "5"), ("1Ki", "5"), ("10Mi", "1"), ("10Mi", "x"), ("9E", "1000")] {
            let error = #expect(throws: NodeError.self) {
                try ContainerLogWishes(maxSize: size, maxFiles: files).limit()
            }
            #expect(error?.description.hasPrefix("containerLogMaxSize") == true, "\(error?.description ?? "")")
        }
    }

    @Test("streams are served where the file says, and with its certificate")
    func streaming() throws {
        let text = """
            streamingAddress: "[::1]:10010"
            streamingTLSCert: /c.pem
            streamingTLSKey: /k.pem
            streamingTLSClientCA: /ca.pem
            """
        let configuration = try NodeConfiguration.parse(text, file: "f.yaml").streaming.configuration()
        #expect(configuration.host == "::1" && configuration.port == 10010)
        #expect(configuration.tls?.certificate == "/c.pem" && configuration.tls?.key == "/k.pem")
        #expect(configuration.tls?.clientAuthority == "/ca.pem")
        #expect(try NodeConfiguration().streaming.configuration().host == "127.0.0.1")
        let wrong = [
            "streamingAddress: localhost\n", "streamingAddress: 127.0.0.1:x\n", "streamingTLSCert: /c\n",
            "streamingTLSClientCA: /ca\n",
        ]
        for text in wrong {
            let error = #expect(throws: NodeError.self) {
                try NodeConfiguration.parse(text, file: "f.yaml").streaming.configuration()
            }
            #expect(error?.description.hasPrefix("streaming") == true, "\(error?.description ?? "")")
        }
    }

    @Test("the example that is installed says nothing but the defaults")
    func example() throws {
        let configuration = try NodeConfiguration.read(Binaries.repository + "/packaging/kubesim.yaml")
        #expect(configuration == NodeConfiguration())
    }

    @Test("a file that was asked for must be there")
    func missing() {
        let error = #expect(throws: NodeError.self) { try NodeConfiguration.read("/nowhere/kubesim.yaml") }
        #expect(error?.description == "cannot read the configuration /nowhere/kubesim.yaml: no such file")
    }
}
