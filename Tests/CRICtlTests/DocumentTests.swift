import CRI
import FoundationEssentials
import JSON
import TestKit
import Testing

@testable import CRICtl

@Suite("crictl's documents", .serialized)
struct DocumentTests {
    @Test("inspect has status and the info expanded") func inspect() async throws {
        try await Fixture.use { fixture in
            var response = CRIContainerStatusResponse()
            response.status.id = "abc"
            response.status.metadata.name = "web"
            response.status.state = .containerExited
            response.status.createdAt = 1_700_000_000_250_000_000
            response.status.startedAt = 1_700_000_001_000_000_000
            response.status.finishedAt = 1_700_000_002_000_000_000
            response.status.exitCode = 3
            response.status.image.image = "localhost/web:latest"
            response.status.resources.linux.memoryLimitInBytes = 9_007_199_254_740_993
            response.info = [
                "info": #"{"pid":4711,"runtimeSpec":{"ociVersion":"1.3.0","big":9223372036854775807}}"#,
                "word": #""quoted""#,
            ]
            fixture.runtime.answer("containerStatus", response)
            let printed = try await fixture.crictl("inspect", "abc")
            let document = try JSONValue.parse(Array(printed.output.utf8))
            #expect(document.objectValue?.map(\.key) == ["info", "status", "word"])
            #expect(document["info"]?["pid"] == 4711)
            #expect(document["info"]?["runtimeSpec"]?["big"] == .int(.max))
            #expect(document["word"] == "quoted")
            let status = try #require(document["status"])
            #expect(status["state"] == "CONTAINER_EXITED")
            #expect(status["exitCode"] == 3)
            #expect(status["createdAt"] == .string(Timestamp.text(nanoseconds: 1_700_000_000_250_000_000)))
            #expect(status["labels"] == [:])
            #expect(status["mounts"] == [])
            #expect(status["logPath"] == "")
            #expect(status["user"] == .null)
            #expect(status["metadata"] == ["attempt": 0, "name": "web"])
            #expect(status["resources"]?["linux"]?["memoryLimitInBytes"] == "9007199254740993")
            #expect(status["image"]?["userSpecifiedImage"] == "")
            let keys = status.objectValue?.map(\.key) ?? []
            #expect(keys == keys.sorted())
        }
    }

    @Test("a container that only was created has Go's zero time as its start and end") func zeroTimes() throws {
        var status = CRIContainerStatus()
        status.state = .containerCreated
        let document = try StatusDocument.container(status)
        #expect(document["startedAt"] == "0001-01-01T00:00:00Z")
        #expect(document["finishedAt"] == "0001-01-01T00:00:00Z")
    }

    @Test("inspectp has the pod's address") func inspectp() async throws {
        try await Fixture.use { fixture in
            var response = CRIPodSandboxStatusResponse()
            response.status.id = "pod"
            response.status.network.ip = "10.88.0.5"
            response.status.linux.namespaces.options.pid = .container
            fixture.runtime.answer("podSandboxStatus", response)
            let printed = try await fixture.crictl("inspectp", "pod")
            let document = try JSONValue.parse(Array(printed.output.utf8))
            #expect(document["status"]?["network"] == ["additionalIps": [], "ip": "10.88.0.5"])
            #expect(document["status"]?["state"] == "SANDBOX_READY")
            #expect(document["status"]?["linux"]?["namespaces"]?["options"]?["pid"] == "CONTAINER")
            let two = try await fixture.crictl("inspectp", "-q", "pod", "pod")
            #expect(try JSONValue.parse(Array(two.output.utf8)).arrayValue?.count == 2)
        }
    }

    @Test("lists as JSON keep the protocol's order and every default") func lists() async throws {
        try await Fixture.use { fixture in
            var response = CRIListContainersResponse()
            response.containers = [TableTests.container()]
            fixture.runtime.answer("listContainers", response)
            let printed = try await fixture.crictl("ps", "-o", "json")
            let document = try JSONValue.parse(Array(printed.output.utf8))
            let container = try #require(document["containers"]?[0])
            #expect(
                container.objectValue?.map(\.key) == [
                    "id", "podSandboxId", "metadata", "image", "imageRef", "state", "createdAt", "labels",
                    "annotations", "imageId",
                ])
            #expect(container["createdAt"]?.stringValue?.hasSuffix("000000000") == false)
            #expect(container["imageRef"] == "")
            #expect(printed.output.hasPrefix("{\n  \"containers\": [\n    {\n      \"id\": \""))
        }
    }

    @Test("yaml is sorted and quotes what isn't text") func yaml() throws {
        let text = try YAMLDocument.text(
            ["b": ["1", "x", true, .null], "a": ["createdAt": "123", "empty": "", "list": [], "n": 5]])
        #expect(
            text == """
                a:
                  createdAt: "123"
                  empty: ""
                  list: []
                  "n": 5
                b:
                - "1"
                - x
                - true
                - null

                """)
    }

    @Test(
        "what YAML 1.1 takes for a number or a truth is quoted, as Go's writer does it",
        arguments: [
            ("y", true), ("No", true), ("OFF", true), ("yEs", false), ("yesterday", false), ("00:00:00:00:00:00", true),
            ("1:30", true), ("-1:59.5", true), ("1:60", false), ("02:fe:00:00:00:01", false), ("a:1", false),
            (":1", false), ("12", true), ("1.5", true), ("10.88.0.5", false), ("true", true), ("~", true),
        ])
    func quoted(_ text: String, _ isQuoted: Bool) throws {
        #expect(try YAMLDocument.text(["k": .string(text)]) == (isQuoted ? "k: \"\(text)\"\n" : "k: \(text)\n"))
    }

    @Test("info shows handlers and features in Go's way") func info() async throws {
        try await Fixture.use { fixture in
            var response = CRIStatusResponse()
            var condition = CRIRuntimeCondition()
            condition.type = "RuntimeReady"
            condition.status = true
            response.status.conditions = [condition]
            var handler = CRIRuntimeHandler()
            handler.name = "kubesim"
            handler.features.recursiveReadOnlyMounts = true
            response.runtimeHandlers = [handler]
            response.info = ["config": "{\"root\":\"/var/lib/kubesim\"}", "golang": "swift"]
            fixture.runtime.answer("status", response)
            let document = try JSONValue.parse(Array(try await fixture.crictl("info").output.utf8))
            #expect(
                document["status"]?["conditions"]?[0]
                    == ["message": "", "reason": "", "status": true, "type": "RuntimeReady"])
            #expect(
                document["runtimeHandlers"]
                    == [["features": ["recursive_read_only_mounts": true], "name": "kubesim"]])
            #expect(document["config"]?["root"] == "/var/lib/kubesim")
            #expect(document["golang"] == "swift")
        }
    }

    @Test("the shapes of messages are those of the .proto file") func shapes() throws {
        let path = Binaries.repository + "/Sources/CRI/Proto/runtime.v1.proto"
        let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
        var fields: [String: [String]] = [:]
        var message = ""
        for line in text.split(separator: "\n") {
            let words = line.split { " ;".contains($0) }
            if words.first == "message", words.count > 1 { message = String(words[1]) }
            if line.hasPrefix("  "), let equals = words.firstIndex(of: "="), equals > 1, !message.isEmpty {
                fields[message, default: []].append(MessageShape.jsonName(words[equals - 1]))
            }
            if line.hasPrefix("}") { message = "" }
        }
        #expect(MessageShape.all.count > 50)
        for (name, shape) in MessageShape.all {
            #expect(Set(shape.map(\.name)) == Set(fields[name] ?? []), "\(name)")
        }
    }

    @Test("times are read with and without a zone") func timestamps() {
        #expect(Timestamp.parse("2016-10-06T00:17:09.669794202Z") == 1_475_713_029_669_794_202)
        #expect(Timestamp.parse("2016-10-06T02:17:09.5+02:00") == 1_475_713_029_500_000_000)
        #expect(Timestamp.parse("2016-10-06T00:17:09Z")?.isMultiple(of: 1_000_000_000) == true)
        #expect(Timestamp.parse("2016-13-06T00:17:09Z") == nil)
        #expect(Timestamp.parse("yesterday") == nil)
        let now = Timestamp.now
        #expect(Timestamp.parse(Timestamp.text(nanoseconds: now)) == now)
    }
}
