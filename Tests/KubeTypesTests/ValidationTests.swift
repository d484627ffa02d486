import KubeTypes
import Testing

@Suite struct ValidationTests {
    /// What is said about a manifest, without the places.
    private func problems(spec: String = "", container: String = "") -> [String] {
        refusal(manifest(spec: spec, container: container)).map { line in
            String(line.split(separator: ":", maxSplits: 3, omittingEmptySubsequences: false)[3].dropFirst())
        }
    }

    @Test func `names follow the rules`() {
        let text = manifest().replacing(
            "name: web", with: "name: Web_1\n  namespace: a.b\n  labels: {-x: why, a/b/c: z, ok: 'no space'}")
        let lines = refusal(text)
        #expect(lines.count == 5, "\(lines)")
        #expect(
            lines.first?.hasPrefix(
                "web.yaml:4:3: metadata.name: Invalid value: \"Web_1\": a lowercase RFC 1123 subdomain must") == true)
        #expect(
            lines.contains {
                $0.hasPrefix("web.yaml:5:3: metadata.namespace: Invalid value: \"a.b\": a lowercase RFC 1123 label")
            })
        #expect(
            refusal(manifest().replacing("  name: web\n", with: "  namespace: a\n")).first
                == "web.yaml:3:1: metadata.name: Required value: a pod from a manifest needs a name")
        #expect(problems(spec: "hostname: a.b").first?.hasPrefix("spec.hostname: Invalid value: \"a.b\"") == true)
    }

    @Test func `ports are numbers from 1 to 65535, with names and protocols`() {
        #expect(
            problems(container: "ports: [{containerPort: -1}]") == [
                "spec.containers[0].ports[0].containerPort: Invalid value: -1: must be between 1 and 65535, inclusive"
            ])
        #expect(
            problems(
                container:
                    "ports:\n- {containerPort: 80, hostPort: 70000, protocol: tcp, hostIP: 1.2.3, name: Web}\n- {}")
                == [
                    "spec.containers[0].ports[0].hostPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
                    "spec.containers[0].ports[0].protocol: Unsupported value: \"tcp\": supported values: \"SCTP\", \"TCP\", \"UDP\"",
                    "spec.containers[0].ports[0].hostIP: Invalid value: \"1.2.3\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
                    "spec.containers[0].ports[0].name: Invalid value: \"Web\": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
                    "spec.containers[0].ports[1].containerPort: Required value",
                ])
        #expect(
            problems(
                container:
                    "ports: [{containerPort: 80, hostPort: 80, name: a}, {containerPort: 81, hostPort: 80, name: a}]")
                == [
                    "spec.containers[0].ports[1].hostPort: Duplicate value: \"TCP//80\"",
                    "spec.containers[0].ports[1].name: Duplicate value: \"a\"",
                ])
        #expect(
            problems(spec: "hostNetwork: true", container: "ports: [{containerPort: 80, hostPort: 81}]") == [
                "spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true"
            ])
        #expect(problems(spec: "hostNetwork: true", container: "ports: [{containerPort: 80}]") == [])
    }

    @Test func `containers have different names and an image`() {
        #expect(
            refusal(
                manifest()
                    + "  - name: main\n    image: ' a'\n  - image: b\n  initContainers:\n  - {name: main, image: ''}\n")
                == [
                    "web.yaml:9:5: spec.containers[1].name: Duplicate value: \"main\"",
                    "web.yaml:10:5: spec.containers[1].image: Invalid value: \" a\": must not have leading or trailing whitespace",
                    "web.yaml:11:5: spec.containers[2].name: Required value",
                    "web.yaml:13:6: spec.initContainers[0].name: Duplicate value: \"main\"",
                    "web.yaml:13:18: spec.initContainers[0].image: Required value",
                ])
        #expect(
            refusal("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {}") == [
                "web.yaml:4:1: spec.containers: Required value"
            ])
    }

    @Test func `mounts name volumes and have places of their own`() {
        let volumes =
            "volumes:\n- name: a\n- {name: a, emptyDir: {medium: Disk, sizeLimit: -1}}\n- {name: b, emptyDir: {}, hostPath: {path: x/../y, type: Dir}}"
        #expect(
            problems(spec: volumes) == [
                "spec.volumes[1].name: Duplicate value: \"a\"",
                "spec.volumes[1].emptyDir.medium: Unsupported value: \"Disk\": supported values: \"\", \"HugePages\", \"Memory\"",
                "spec.volumes[1].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity",
                "spec.volumes[2]: Forbidden: may not specify more than 1 volume type",
                "spec.volumes[2].hostPath.path: Invalid value: \"x/../y\": must not contain '..'",
                "spec.volumes[2].hostPath.path: Invalid value: \"x/../y\": must be an absolute path",
                "spec.volumes[2].hostPath.type: Unsupported value: \"Dir\": supported values: \"\", \"BlockDevice\", \"CharDevice\", \"Directory\", \"DirectoryOrCreate\", \"File\", \"FileOrCreate\", \"Socket\"",
            ])
        let mounts =
            "volumeMounts:\n- {name: a, mountPath: /x}\n- {name: nope, mountPath: /x}\n- {name: a, mountPath: /y, subPath: /z}\n- {name: a, mountPath: /w, subPath: ../z, mountPropagation: Bidirectional}"
        #expect(
            problems(spec: "volumes: [{name: a}]", container: mounts) == [
                "spec.containers[0].volumeMounts[1].name: Not found: \"nope\"",
                "spec.containers[0].volumeMounts[1].mountPath: Invalid value: \"/x\": must be unique",
                "spec.containers[0].volumeMounts[2].subPath: Invalid value: \"/z\": must be a relative path",
                "spec.containers[0].volumeMounts[3].subPath: Invalid value: \"../z\": must not contain '..'",
                "spec.containers[0].volumeMounts[3].mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers",
            ])
    }

    @Test func `probes have one handler and sane numbers`() {
        let probes = """
            livenessProbe: {periodSeconds: -1, successThreshold: 2}
            readinessProbe: {exec: {command: []}, tcpSocket: {port: 0}, terminationGracePeriodSeconds: 3}
            startupProbe: {httpGet: {port: bad_name, scheme: ftp, httpHeaders: [{name: 'a b', value: c}]}}
            """
        #expect(
            problems(container: probes) == [
                "spec.containers[0].livenessProbe: Required value: must specify a handler type",
                "spec.containers[0].livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0",
                "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
                "spec.containers[0].readinessProbe: Forbidden: may not specify more than 1 handler type",
                "spec.containers[0].readinessProbe.exec.command: Required value",
                "spec.containers[0].readinessProbe.tcpSocket.port: Invalid value: 0: must be between 1 and 65535, inclusive",
                "spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 3: must not be set for readinessProbes",
                "spec.containers[0].startupProbe.httpGet.port: Invalid value: \"bad_name\": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
                "spec.containers[0].startupProbe.httpGet.scheme: Unsupported value: \"ftp\": supported values: \"HTTP\", \"HTTPS\"",
                "spec.containers[0].startupProbe.httpGet.httpHeaders[0].name: Invalid value: \"a b\": a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')",
            ])
        #expect(
            problems(
                spec:
                    "initContainers: [{name: i, image: a, livenessProbe: {tcpSocket: {port: 1}}}, {name: j, image: a, restartPolicy: Always, livenessProbe: {tcpSocket: {port: 1}}}]"
            ) == [
                "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always"
            ])
        #expect(
            problems(container: "lifecycle: {preStop: {sleep: {seconds: 60}}}") == [
                "spec.containers[0].lifecycle.preStop.sleep.seconds: Invalid value: 60: must be non-negative and less than terminationGracePeriodSeconds (30)"
            ])
    }

    @Test func `variables have names and one source`() {
        let env = """
            env:
            - {name: 'A=B', value: x}
            - {value: x}
            - {name: C, value: x, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
            - {name: D, valueFrom: {}}
            - {name: E, valueFrom: {fieldRef: {fieldPath: spec.image}}}
            - {name: F, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}}
            - {name: G, valueFrom: {resourceFieldRef: {resource: limits.gpu}}}
            - {name: H, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 2}}}
            """
        let lines = problems(container: env)
        #expect(lines.count == 7)
        #expect(
            lines[0]
                == "spec.containers[0].env[0].name: Invalid value: \"A=B\": a valid environment variable name must consist only of printable ASCII characters other than '='"
        )
        #expect(lines[1] == "spec.containers[0].env[1].name: Required value")
        #expect(lines[2].hasSuffix("may not be specified when `value` is not empty"))
        #expect(lines[4].contains("Unsupported value: \"spec.image\""))
    }

    @Test func `requests don't exceed limits`() {
        #expect(
            problems(container: "resources: {requests: {cpu: 2, memory: 1Gi, gpu: 1}, limits: {cpu: 1, memory: -1}}")
                == [
                    "spec.containers[0].resources.requests: Invalid value: \"2\": must be less than or equal to cpu limit of 1",
                    "spec.containers[0].resources.requests: Invalid value: \"1Gi\": must be less than or equal to memory limit of -1",
                    "spec.containers[0].resources.requests[gpu]: Invalid value: \"gpu\": must be a standard resource for containers",
                    "spec.containers[0].resources.limits[memory]: Invalid value: \"-1\": must be greater than or equal to 0",
                ])
    }

    @Test func `policies are of those that exist`() {
        #expect(
            problems(
                spec:
                    "restartPolicy: Sometimes\ndnsPolicy: Mine\nterminationGracePeriodSeconds: -1\nactiveDeadlineSeconds: 0",
                container: "imagePullPolicy: never") == [
                    "spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"Never\", \"OnFailure\"",
                    "spec.dnsPolicy: Unsupported value: \"Mine\": supported values: \"ClusterFirst\", \"ClusterFirstWithHostNet\", \"Default\", \"None\"",
                    "spec.terminationGracePeriodSeconds: Invalid value: -1: must be greater than or equal to 0",
                    "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive",
                    "spec.containers[0].imagePullPolicy: Unsupported value: \"never\": supported values: \"Always\", \"IfNotPresent\", \"Never\"",
                ])
        #expect(
            problems(spec: "dnsPolicy: None") == [
                "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"
            ])
    }

    @Test func `tolerations and host names follow the rules`() {
        #expect(
            problems(
                spec:
                    "tolerations:\n- {operator: Exists}\n- {value: a, effect: Never}\n- {key: a, operator: Exists, value: b, tolerationSeconds: 1}\nhostnameOverride: a.b\nhostNetwork: true"
            ) == [
                "spec.tolerations[1].operator: Invalid value: \"\": operator must be Exists when `key` is empty, which means \"match all values and all keys\"",
                "spec.tolerations[1].effect: Unsupported value: \"Never\": supported values: \"NoExecute\", \"NoSchedule\", \"PreferNoSchedule\"",
                "spec.tolerations[2].effect: Invalid value: \"\": effect must be 'NoExecute' when `tolerationSeconds` is set",
                "spec.tolerations[2].operator: Invalid value: \"b\": value must be empty when `operator` is 'Exists'",
                "spec.hostnameOverride: Forbidden: may not be set when `hostNetwork` is true",
            ])
    }

    @Test func `privileges make sense together`() {
        let pod =
            "hostPID: true\nshareProcessNamespace: true\nsecurityContext: {runAsUser: -1, supplementalGroups: [4294967296], seccompProfile: {type: Localhost}, sysctls: [{name: 'a b', value: '1'}, {name: net.x, value: \"1\\nkernel.y=2\"}]}"
        let container =
            "securityContext: {privileged: true, allowPrivilegeEscalation: false, procMount: Unmasked, seccompProfile: {type: Odd}}"
        let lines = problems(spec: pod, container: container)
        #expect(
            lines.contains(
                "spec.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled"
            ))
        #expect(
            lines.contains(
                "spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive"))
        #expect(
            lines.contains(
                "spec.securityContext.supplementalGroups[0]: Invalid value: 4294967296: must be between 0 and 2147483647, inclusive"
            ))
        #expect(
            lines.contains(
                "spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost"
            ))
        #expect(
            lines.contains {
                $0.hasPrefix("spec.securityContext.sysctls[0].name: Invalid value: \"a b\": must have at most 253")
            })
        #expect(
            lines.contains("spec.securityContext.sysctls[1].value: Invalid value: \"1\\nkernel.y=2\": must be one line")
        )
        #expect(
            lines.contains(
                "spec.containers[0].securityContext.allowPrivilegeEscalation: Invalid value: false: cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            ))
        #expect(
            lines.contains(
                "spec.containers[0].securityContext.procMount: Invalid value: \"Unmasked\": `hostUsers` must be false to use `Unmasked`"
            ))
        #expect(
            lines.contains(
                "spec.containers[0].securityContext.seccompProfile.type: Unsupported value: \"Odd\": supported values: \"Localhost\", \"RuntimeDefault\", \"Unconfined\""
            ))
        #expect(lines.count == 9, "\(lines)")
    }

    @Test(arguments: [
        ("1.2.3.4", true), ("01.2.3.4", false), ("::", true), ("::1", true), ("fe80::1%eth0", false),
        ("1:2:3:4:5:6:7:8", true),
        ("1:2:3:4:5:6:7", false), ("1::2::3", false), ("::ffff:1.2.3.4", true), ("12345::", false), (":1", false),
        ("", false),
    ])
    func `addresses are judged`(text: String, valid: Bool) {
        let lines = problems(spec: "hostAliases: [{ip: '\(text)', hostnames: [a.b]}]")
        #expect(lines.isEmpty == valid)
    }

    @Test func `what is odd but allowed is warned of`() throws {
        let parsed = try pod(
            manifest(
                container:
                    "env: [{name: A, value: b}, {name: A}]\nreadinessProbe: {httpGet: {port: web}}\nresources: {limits: {memory: 100m}}"
            ))
        #expect(
            parsed.warnings == [
                "spec.containers[0].env[1]: hides previous definition of \"A\", which may be unexpected",
                "spec.containers[0].resources.limits[memory]: fractional byte value \"100m\" is invalid, must be an integer",
                "spec.containers[0].resources.requests[memory]: fractional byte value \"100m\" is invalid, must be an integer",
                "spec.containers[0].readinessProbe.httpGet.port: the container has no port named \"web\", so the probe will fail",
            ])
    }

    @Test func `the class of service follows from requests and limits`() throws {
        func qos(_ resources: String) throws -> QOSClass {
            try pod(manifest(container: "resources: \(resources)")).pod.qosClass
        }
        #expect(try qos("{}") == .bestEffort)
        #expect(try qos("{requests: {cpu: 1}}") == .burstable)
        #expect(try qos("{limits: {cpu: 1, memory: 1Gi}}") == .guaranteed)
        #expect(try qos("{limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 500m}}") == .burstable)
        #expect(try qos("{limits: {cpu: 1}}") == .burstable)
        #expect(try qos("{limits: {ephemeral-storage: 1Gi}}") == .bestEffort)
    }

    @Test(arguments: [
        ("a", PullPolicy.always), ("a:latest", .always), ("a:1", .ifNotPresent), ("h:5000/a", .always),
        ("h:5000/a:1", .ifNotPresent),
        ("a@sha256:00", .ifNotPresent), ("a:latest@sha256:00", .always),
    ])
    func `the pull policy follows from the tag`(image: String, policy: PullPolicy) {
        #expect(
            Pod(spec: PodSpec(containers: [Container(name: "a", image: image)])).defaulted().spec.containers[0]
                .imagePullPolicy == policy)
    }
}
