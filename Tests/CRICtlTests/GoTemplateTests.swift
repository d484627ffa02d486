import CRI
import JSON
import Testing

@testable import CRICtl

@Suite("go-template")
struct GoTemplateTests {
    static let document: JSONValue = [
        "id": "aBcd", "size": 123_456, "ok": true, "none": nil, "tags": ["one", "two", "three"], "empty": [],
        "labels": ["b": "2", "a": "1"], "status": ["conditions": [["type": "Ready", "status": true]]],
    ]

    @Test(
        "says what Go's says",
        arguments: [
            ("plain", "plain"), ("{{.size}} , {{.id}}", "123456 , aBcd"), ("{{ .ok }}{{.none}}", "true<no value>"),
            ("{{.tags}} {{.labels}}", "[one two three] map[a:1 b:2]"),
            ("{{title .id}} {{lower .id}} {{upper .id}}", "ABcd abcd ABCD"),
            ("Ready: {{ (index .status.conditions 0).status }}", "Ready: true"),
            ("{{index .labels \"a\"}}{{index .labels \"no\"}}", "1<no value>"),
            ("{{range .tags}}[{{.}}]{{end}}", "[one][two][three]"),
            ("{{range $i, $t := .tags}}{{if $i}}, {{end}}{{$i}}={{$t}}{{end}}", "0=one, 1=two, 2=three"),
            ("{{range $k, $v := .labels}}{{$k}}:{{$v}};{{end}}", "a:1;b:2;"),
            ("{{range .empty}}x{{else}}nothing{{end}}", "nothing"),
            ("{{range .tags}}{{if eq . \"two\"}}{{continue}}{{end}}{{.}} {{end}}", "one three "),
            ("{{range .tags}}{{if eq . \"two\"}}{{break}}{{end}}{{.}} {{end}}", "one "),
            ("{{if .empty}}a{{else if .none}}b{{else}}c{{end}}", "c"),
            ("{{with .status}}{{.conditions | len}} of {{$.id}}{{end}}", "1 of aBcd"),
            ("{{with .none}}x{{else}}y{{end}}", "y"),
            ("{{$n := len .tags}}{{range .tags}}{{$n = 9}}{{end}}{{$n}}", "9"),
            ("{{$n := 1}}{{range .tags}}{{$n := 2}}{{end}}{{$n}}", "1"),
            ("a {{- .id -}} b", "aaBcdb"), ("a{{/* a\ncomment */}}b {{- /* too */ -}} c", "abc"),
            ("{{and .ok .id}} {{or .empty .id}} {{not .ok}}", "aBcd aBcd false"),
            ("{{if and .none (index .empty 7)}}x{{else}}never looked at{{end}}", "never looked at"),
            ("{{eq .id \"x\" \"aBcd\"}} {{ne 1 2}} {{lt 1 2}} {{ge .size 5}}", "true true true true"),
            (
                "{{printf \"%s|%5s|%-5s|%q|%03d|%x|%.2f|%v|%%\" .id \"r\" \"l\" \"q\" 7 255 1.5 .ok}}",
                "aBcd|    r|l    |\"q\"|007|ff|1.50|true|%"
            ),
            ("{{.id | printf \"%s-%s\" `raw`}}", "raw-aBcd"), ("{{print 1 2 \"x\" 3}}", "1 2x3"),
            ("{{slice .id 1 3}} {{slice .tags 2}}", "Bc [three]"), ("{{json .labels}}", "{\"a\":\"1\",\"b\":\"2\"}\n"),
            ("{{html \"<a & b>\"}} {{urlquery \"a b/c\"}} {{js \"it's\"}}", "&lt;a &amp; b&gt; a+b%2Fc it\\'s"),
            ("{{\"}}\"}}{{`{{`}}", "}}{{"),
        ])
    func says(_ template: String, _ text: String) throws {
        #expect(try GoTemplate(template).text(of: Self.document) == text)
    }

    @Test(
        "what is wrong is said with the line",
        arguments: [
            ("{{.gone}}", "line 1: map has no entry for key \"gone\""),
            ("a\n\n{{ .id.x }}", "line 3: can't evaluate field x in a string"),
            ("{{ .id", "line 1: an action has no end: \"}}\" is missing"),
            ("{{if .ok}}x", "line 1: the \"if\" has no \"end\""), ("{{end}}", "an \"end\" has nothing to end"),
            ("{{}}", "line 1: \"{{}}\" has nothing in it"), ("{{dance .}}", "line 1: there is no function \"dance\""),
            ("\n{{template \"x\"}}", "line 2: \"template\" is not supported"),
            ("{{$x}}", "line 1: the variable $x isn't declared"),
            ("{{if true}}{{$x := 1}}{{end}}{{$x}}", "line 1: the variable $x isn't declared"),
            ("{{index .tags 3}}", "line 1: index: index out of range: 3 of 3"),
            ("{{(len .tags}}", "line 1: a \")\" is missing"),
            ("{{.id .ok}}", "line 1: only a function takes arguments"),
            ("{{break}}", "line 1: \"break\" stands outside of a \"range\""),
            ("{{.id | .ok}}", "line 1: what stands behind a \"|\" is no function"),
            ("{{range .id}}{{end}}", "line 1: range can't go over a string"),
            ("{{printf \"%d\" .id}}", "line 1: printf: %d needs a whole number"),
            ("{{\"a}}", "line 1: a string has no end"),
        ])
    func wrong(_ template: String, _ message: String) {
        let failure = #expect(throws: Failure.self) { try GoTemplate(template).text(of: Self.document) }
        #expect(failure?.description == message)
    }

    @Test("what nests without end is refused, and nothing crashes on half a template") func hostile() {
        let deep = String(repeating: "{{if true}}", count: 5000)
        #expect(throws: Failure.self) { try GoTemplate(deep) }
        #expect(throws: Failure.self) { try GoTemplate("{{" + String(repeating: "(", count: 5000)) }
        let whole =
            "{{range $i, $t := .tags}}{{printf \"%5.2f\" 1.5}}{{/* c */ -}}{{with (index .status `x`).y}}{{end}}{{end}}"
        for length in 0...whole.count {
            // Half a template is wrong or makes some text; which of them doesn't matter here.
            _ = try? GoTemplate(String(whole.prefix(length))).text(of: Self.document)
        }
    }

    @Test("every verb that describes something takes one") func verbs() async throws {
        try await Fixture.use { fixture in
            var container = CRIContainerStatusResponse()
            container.status.id = "abc"
            container.status.state = .containerRunning
            container.info = ["info": "{\"pid\":7}"]
            fixture.runtime.answer("containerStatus", container)
            var pod = CRIPodSandboxStatusResponse()
            pod.status.network.ip = "10.88.0.5"
            fixture.runtime.answer("podSandboxStatus", pod)
            var image = CRIImageStatusResponse()
            image.image.repoTags = ["localhost/a:1", "localhost/a:2"]
            fixture.runtime.answer("imageStatus", image)
            var filesystem = CRIFilesystemUsage()
            filesystem.fsID.mountpoint = "/var/lib/kubesim"
            var filesystems = CRIImageFsInfoResponse()
            filesystems.imageFilesystems = [filesystem]
            fixture.runtime.answer("imageFsInfo", filesystems)
            var status = CRIStatusResponse()
            status.info = ["golang": "swift"]
            fixture.runtime.answer("status", status)
            let cases = [
                (["inspect", "abc"], "{{.status.state}} {{.info.pid}}", "CONTAINER_RUNNING 7\n"),
                (["inspect", "abc", "abc"], "{{range .}}{{.status.id}}{{end}}", "abcabc\n"),
                (["inspectp", "abc"], "{{.status.network.ip}}", "10.88.0.5\n"),
                (["inspecti", "abc"], "{{index .status.repoTags 1}}", "localhost/a:2\n"),
                (["imagefsinfo"], "{{(index .status.imageFilesystems 0).fsId.mountpoint}}", "/var/lib/kubesim\n"),
                (["info"], "{{.golang}}", "swift\n"),
            ]
            for (words, template, text) in cases {
                let printed = try await fixture.crictl(words + ["-o", "go-template", "--template", template])
                #expect(printed.output == text, "\(words): \(printed.failure ?? "")")
            }
            let missing = try await fixture.crictl("info", "-o", "go-template")
            #expect(missing.failure == "-o go-template needs a --template, as in --template '{{.status.id}}'")
            let wrong = try await fixture.crictl("events", "--template", "{{.x}}")
            #expect(wrong.failure == "template can't be used with \"json\" format: {{.x}}")
        }
    }
}
