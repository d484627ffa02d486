import JSON
import KubeTypes
import Testing

@Suite struct EncodingTests {
    @Test func `a pod with its status has Kubernetes' shape`() throws {
        var pod = Pod(
            metadata: ObjectMeta(name: "web", labels: ["b": "", "a": "1"]),
            spec: PodSpec(
                containers: [
                    Container(
                        name: "main", image: "a", ports: [ContainerPort(containerPort: 80)],
                        readinessProbe: Probe(httpGet: HTTPGetAction(port: "web")))
                ], volumes: [Volume(name: "v", emptyDir: EmptyDirVolumeSource())]))
        pod.status.phase = .running
        pod.status.startTime = Time(secondsSinceEpoch: 0)
        pod.status.containerStatuses = [
            ContainerStatus(
                name: "main", lastState: ContainerState(),
                state: ContainerState(running: ContainerStateRunning(startedAt: Time(secondsSinceEpoch: 1))))
        ]
        let text = String(decoding: pod.json().encoded(pretty: false), as: UTF8.self)
        #expect(
            text == """
                {"apiVersion":"v1","kind":"Pod","metadata":{"labels":{"a":"1","b":""},"name":"web"},"spec":{"containers":\
                [{"image":"a","name":"main","ports":[{"containerPort":80}],"readinessProbe":{"httpGet":{"port":"web"}},\
                "resources":{}}],"volumes":[{"emptyDir":{},"name":"v"}]},"status":{"containerStatuses":[{"image":"",\
                "imageID":"","lastState":{},"name":"main","ready":false,"restartCount":0,"state":{"running":\
                {"startedAt":"1970-01-01T00:00:01Z"}}}],"phase":"Running","startTime":"1970-01-01T00:00:00Z"}}
                """)
    }

    @Test func `what was written reads back as the same pod`() throws {
        let parsed = try pod(
            manifest(
                spec: "securityContext: {fsGroup: 0}\nhostAliases: [{ip: 1.2.3.4, hostnames: [a]}]",
                container:
                    "resources: {limits: {cpu: 1500m, memory: 1Gi}}\nlivenessProbe: {tcpSocket: {port: 80}}\ntty: true")
        )
        let again = PodDocument.read(parsed.pod.json().encoded(pretty: true), file: "again.json")
        #expect(try again.first?.get().pod == parsed.pod)
        let yaml = PodDocument.read(Array(parsed.pod.yaml().utf8), file: "again.yaml")
        #expect(try yaml.first?.get().pod == parsed.pod)
    }

    @Test func `YAML quotes what would be read as something else`() throws {
        var pod = Pod(
            metadata: ObjectMeta(
                name: "a",
                annotations: [
                    "a": "yes", "b": "80", "c": "", "d": "x: y", "e": "a\nb\n", "f": "plain words", "g": "- x",
                    "h": "# x", "i": "null", "j": "1e3", "k": "'", "l": " x",
                ]))
        pod.spec.containers = [Container(name: "a", image: "b")]
        let yaml = pod.yaml()
        #expect(
            yaml.hasPrefix(
                "apiVersion: v1\nkind: Pod\nmetadata:\n  annotations:\n    a: \"yes\"\n    b: \"80\"\n    c: \"\"\n    d: \"x: y\"\n    e: \"a\\nb\\n\"\n    f: plain words\n"
            ))
        #expect(yaml.contains("spec:\n  containers:\n  - image: b\n    name: a\n    resources: {}\n"))
        let again = PodDocument.read(Array(yaml.utf8), file: "again.yaml")
        #expect(try again.first?.get().pod.metadata.annotations == pod.metadata.annotations)
    }
}
