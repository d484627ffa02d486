import KubeTypes
import Testing

@Suite struct ReadingTests {
    @Test func `a usual manifest becomes a pod with its defaults`() throws {
        let parsed = try pod(
            """
            # a comment
            apiVersion: v1
            kind: Pod
            metadata:
              name: web
              labels: {app: web}
            spec:
              containers:
              - name: main
                image: localhost/web
                args: ["--port", "8080"]
                env:
                - {name: A, value: "1"}
                ports:
                - containerPort: 8080
                  hostPort: 18080
                resources:
                  limits: {cpu: 0.5, memory: 64Mi}
                readinessProbe:
                  httpGet: {port: 8080}
                volumeMounts:
                - {name: data, mountPath: /data}
              volumes:
              - name: data
            """)
        let pod = parsed.pod
        #expect(pod.metadata.name == "web")
        #expect(pod.metadata.namespace == "default")
        #expect(pod.metadata.labels == ["app": "web"])
        #expect(pod.spec.restartPolicy == .always)
        #expect(pod.spec.dnsPolicy == .clusterFirst)
        #expect(pod.spec.terminationGracePeriodSeconds == 30)
        #expect(pod.spec.volumes == [Volume(name: "data", emptyDir: EmptyDirVolumeSource())])
        let container = try #require(pod.spec.containers.first)
        #expect(container.imagePullPolicy == .always)
        #expect(container.args == ["--port", "8080"])
        #expect(container.ports == [ContainerPort(containerPort: 8080, hostPort: 18080, protocol: .tcp)])
        #expect(container.resources.requests["cpu"]?.description == "500m")
        #expect(container.readinessProbe?.httpGet?.path == "/")
        #expect(container.readinessProbe?.httpGet?.scheme == .http)
        #expect(container.readinessProbe?.periodSeconds == 10)
        #expect(container.readinessProbe?.failureThreshold == 3)
        #expect(pod.qosClass == .guaranteed)
        #expect(parsed.notDone.isEmpty)
        #expect(parsed.line == 2)
    }

    @Test func `JSON reads as YAML does`() throws {
        let json = """
            {"apiVersion": "v1", "kind": "Pod",
             "metadata": {"name": "web", "labels": {"smile": "a"}},
             "spec": {"containers": [{"name": "main", "image": "a:1", "args": ["\\ud83d\\ude00", "a/b"],
              "ports": [{"containerPort": 80}], "env": null}]}}
            """
        let parsed = try pod(json)
        #expect(parsed.pod.spec.containers.first?.args == ["😀", "a/b"])
        #expect(parsed.pod.spec.containers.first?.imagePullPolicy == .ifNotPresent)
        #expect(
            refusal(json.replacing("\"image\"", with: "\"imgae\"")) == [
                "web.yaml:3:26: spec.containers[0].image: Required value",
                "web.yaml:3:43: spec.containers[0].imgae: unknown field; did you mean \"image\"?",
            ])
        #expect(
            refusal("{\"apiVersion\": \"v1\",\n \"kind\" \"Pod\"}").first?.hasPrefix("web.yaml:2:9: is not JSON")
                == true)
        #expect(refusal("{\"a\": 1, \"a\": 2}").first?.contains("stands there twice") == true)
        #expect(
            try pod("{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, image: b}]}}").line
                == 1)
    }

    @Test func `a file has many documents, and each stands for itself`() {
        let good = manifest()
        let text =
            good + "---\nkind: [\n---\n# nothing\n---\n" + good.replacing("name: web", with: "name: other") + "...\n"
        let results = read(text)
        #expect(results.count == 3)
        #expect(results.map { (try? $0.get().pod.metadata.name) ?? "-" } == ["web", "-", "other"])
        #expect(refusal(text).first?.hasPrefix("web.yaml:11:") == true, "\(refusal(text))")
        #expect(read("").isEmpty)
        #expect(read("# only words\n---\n---\n").isEmpty)
        #expect(read("%YAML 1.1\n---\n" + good).count == 1)
    }

    @Test func `lists hold pods`() throws {
        let text = """
            apiVersion: v1
            kind: List
            items:
            - apiVersion: v1
              kind: Pod
              metadata: {name: a}
              spec: {containers: [{name: a, image: a}]}
            - {apiVersion: v1, kind: Service}
            """
        let results = read(text)
        #expect(results.count == 2)
        #expect(try results[0].get().pod.metadata.name == "a")
        #expect(
            refusal(text) == [
                "web.yaml:8:20: kind: Unsupported value: \"Service\": this node runs Pods of v1 and lists of them"
            ])
        let podList = text.replacing("kind: List", with: "kind: PodList").replacing(
            "- apiVersion: v1\n  kind: Pod\n  m", with: "- m")
        #expect(try read(podList)[0].get().pod.metadata.name == "a")
    }

    @Test func `plain words mean what they mean to Go's reader`() throws {
        let parsed = try pod(
            manifest(
                spec:
                    "terminationGracePeriodSeconds: 0o10\nactiveDeadlineSeconds: 1e2\nhostPID: yes\nsecurityContext: {runAsUser: 0x10, fsGroup: 010}",
                container:
                    "args: [\"yes\", 'on', 2020-01-01, !!str 80, !!str true, 1.2.3, 'null', <<]\ntty: on\ncommand: ~"))
        #expect(parsed.pod.spec.terminationGracePeriodSeconds == 8)
        #expect(parsed.pod.spec.activeDeadlineSeconds == 100)
        #expect(parsed.pod.spec.hostPID)
        #expect(parsed.pod.spec.securityContext?.runAsUser == 16)
        #expect(parsed.pod.spec.securityContext?.fsGroup == 8)
        let container = try #require(parsed.pod.spec.containers.first)
        #expect(container.args == ["yes", "on", "2020-01-01", "80", "true", "1.2.3", "null", "<<"])
        #expect(container.tty)
        #expect(container.command.isEmpty)
        #expect(
            refusal(manifest(container: "args: [yes, 80]")) == [
                "web.yaml:9:12: spec.containers[0].args[0]: Invalid value: yes: must be a string; put it in quotes: \"yes\"",
                "web.yaml:9:17: spec.containers[0].args[1]: Invalid value: 80: must be a string; put it in quotes: \"80\"",
            ])
    }

    @Test func `anchors, aliases and merged maps work`() throws {
        let parsed = try pod(
            manifest(
                container: """
                    env: &env
                    - {name: A, value: b}
                    livenessProbe: &probe
                      tcpSocket: {port: 80}
                      periodSeconds: 3
                    readinessProbe:
                      <<: *probe
                      periodSeconds: 5
                    """) + "  - name: second\n    image: a\n    env: *env\n")
        #expect(parsed.pod.spec.containers[0].readinessProbe?.periodSeconds == 5)
        #expect(parsed.pod.spec.containers[0].readinessProbe?.tcpSocket?.port == 80)
        #expect(parsed.pod.spec.containers[1].env == [EnvVar(name: "A", value: "b")])
    }

    @Test func `what isn't YAML is refused with its line`() {
        #expect(
            refusal("a: b\n\tc: d").first?.hasPrefix("web.yaml:2:1: is not YAML:") == true, "\(refusal("a: b\n\tc: d"))"
        )
        #expect(refusal(manifest() + "  x: [\n").first?.contains("is not YAML") == true)
        #expect(refusal("just words") == ["web.yaml:1:1: is not an object: found \"just words\""])
        #expect(refusal("- a").first == "web.yaml:1:1: is not an object: found a list")
        #expect(PodDocument.read([0x61, 0x0A, 0xFF], file: "x").first.map { "\($0)" }?.contains("not UTF-8") == true)
        #expect(
            refusal(manifest(container: "name: again")) == [
                "web.yaml:9:5: the key \"name\" stands there twice; first on line 7"
            ])
        #expect(refusal("? [a]\n: b") == ["web.yaml:1:3: a key must be a plain word or a string"])
        #expect(refusal("a: !foo b") == ["web.yaml:1:4: the tag \"!foo\" has no meaning for this value"])
    }

    @Test func `an unknown field is named with its place and a likely spelling`() {
        #expect(
            refusal(manifest(spec: "volums: []\nhostnetwork: true\nqwertyuiop: 1", container: "comand: [a]")) == [
                "web.yaml:6:3: spec.volums: unknown field; did you mean \"volumes\"?",
                "web.yaml:7:3: spec.hostnetwork: unknown field; did you mean \"hostNetwork\"?",
                "web.yaml:8:3: spec.qwertyuiop: unknown field",
                "web.yaml:12:5: spec.containers[0].comand: unknown field; did you mean \"command\"?",
            ])
    }

    @Test func `values of the wrong kind are named`() {
        let text = manifest(
            spec: "hostPID: 1\nhostAliases: a\nterminationGracePeriodSeconds: 1.5\nsecurityContext: []",
            container:
                "ports: [{containerPort: http, hostPort: 99999999999}]\nresources: {limits: {cpu: [], memory: 1GB}}")
        #expect(
            refusal(text) == [
                "web.yaml:6:12: spec.hostPID: Invalid value: 1: must be true or false",
                "web.yaml:7:16: spec.hostAliases: Invalid value: \"a\": must be a list",
                "web.yaml:8:34: spec.terminationGracePeriodSeconds: Invalid value: 1.5: must be an integer",
                "web.yaml:9:20: spec.securityContext: Invalid value: a list: must be a map",
                "web.yaml:13:29: spec.containers[0].ports[0].containerPort: Invalid value: \"http\": must be an integer",
                "web.yaml:13:45: spec.containers[0].ports[0].hostPort: Invalid value: 99999999999: must be an integer of 32 bits",
                "web.yaml:14:31: spec.containers[0].resources.limits[cpu]: Invalid value: a list: must be a quantity, a string or a number",
                "web.yaml:14:43: spec.containers[0].resources.limits[memory]: Invalid value: \"1GB\": quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            ])
    }

    @Test func `what is of the wrong kind doesn't hide what breaks a rule`() {
        #expect(
            refusal(manifest(spec: "volumes: none\nrestartPolicy: Often", container: "args: [yes]")) == [
                "web.yaml:6:12: spec.volumes: Invalid value: \"none\": must be a list",
                "web.yaml:7:3: spec.restartPolicy: Unsupported value: \"Often\": supported values: \"Always\", \"Never\", \"OnFailure\"",
                "web.yaml:11:12: spec.containers[0].args[0]: Invalid value: yes: must be a string; put it in quotes: \"yes\"",
            ])
    }

    @Test func `no more is said than a person reads, and nothing that a terminal would obey`() {
        let many = (0..<1000).map { "x\($0): 1" }.joined(separator: "\n")
        #expect(refusal(manifest(spec: many)).count == 65)
        #expect(refusal(manifest(spec: many)).last?.hasSuffix("and 936 more") == true)
        let lines = refusal(manifest(spec: "\"\\e[31m\": 1\nhostname: \"\\e[2J\""))
        #expect(lines.count == 2)
        #expect(lines.allSatisfy { !$0.contains("\u{1B}") })
    }

    @Test func `another kind and a missing kind are refused`() {
        #expect(
            refusal("apiVersion: apps/v1\nkind: Deployment") == [
                "web.yaml:1:1: apiVersion: Unsupported value: \"apps/v1\": this node runs Pods of v1 and lists of them",
                "web.yaml:2:1: kind: Unsupported value: \"Deployment\": this node runs Pods of v1 and lists of them",
            ])
        #expect(
            refusal("metadata: {name: a}") == [
                "web.yaml:1:1: apiVersion: Required value: must be \"v1\"",
                "web.yaml:1:1: kind: Required value: must be \"Pod\"",
            ])
    }

    @Test func `the same pod twice in a file is refused`() {
        let text = manifest() + "---\n" + manifest()
        #expect(read(text).count == 2)
        #expect(
            refusal(text) == [
                "web.yaml:13:3: metadata.name: Duplicate value: \"default/web\": the same file has this pod on line 4"
            ])
    }

    @Test func `layout and comments don't change what a manifest asks for`() throws {
        let one = try pod(manifest(container: "args: [a, b] # why\ntty: true"))
        let other = try pod("# new\n" + manifest(container: "tty: true\nargs:\n- a\n- 'b'\ncommand:"))
        let changed = try pod(manifest(container: "args: [a, c]\ntty: true"))
        #expect(one.content == other.content)
        #expect(one.content != changed.content)
    }
}
