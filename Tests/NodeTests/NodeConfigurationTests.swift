import Node
import TestKit
import Testing

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
