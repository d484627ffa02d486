@testable import KubeTypes
import Testing

@Suite struct NotDoneTests {
    @Test func `valid fields that aren't done are named by path`() throws {
        let parsed = try pod(
            manifest(
                spec: """
                    hostUsers: false
                    runtimeClassName: gvisor
                    setHostnameAsFQDN: false
                    tolerations: [{operator: Exists}]
                    nodeName: here
                    affinity: {}
                    nodeSelector: {disk: ssd}
                    volumes:
                    - {name: a, nfs: {server: b, path: /c}}
                    - {name: b, emptyDir: {medium: Memory}}
                    - {name: c, emptyDir: {medium: HugePages}}
                    - {name: d, emptyDir: {sizeLimit: 1Mi}}
                    - {name: e, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
                    """,
                container: """
                    envFrom: [{configMapRef: {name: a}}]
                    env:
                    - {name: A, valueFrom: {secretKeyRef: {name: b, key: c}}}
                    livenessProbe: {grpc: {port: 80}}
                    securityContext: {seLinuxOptions: {level: s0}}
                    restartPolicy: Never
                    resources: {limits: {cpu: 1, ephemeral-storage: 1Gi}, requests: {ephemeral-storage: 1Gi}}
                    """))
        #expect(
            parsed.notDone.map(\.description) == [
                "spec.hostUsers", "spec.runtimeClassName", "spec.nodeSelector", "spec.volumes[0].nfs",
                "spec.volumes[2].emptyDir.medium", "spec.volumes[3].emptyDir.sizeLimit",
                "spec.containers[0].envFrom", "spec.containers[0].env[0].valueFrom.secretKeyRef",
                "spec.containers[0].livenessProbe.grpc", "spec.containers[0].securityContext.seLinuxOptions",
                "spec.containers[0].restartPolicy", "spec.containers[0].resources.limits[ephemeral-storage]",
            ])
    }

    @Test func `the list of what is done names only fields that exist`() {
        for (type, field) in NotDone.mentioned {
            #expect(Schema.kubernetes.types[type]?[field] != nil, "\(type).\(field)")
        }
    }

    @Test func `the table has every type that a field names`() {
        func named(_ kind: Schema.Kind) -> String? {
            switch kind {
            case .object(let name): name
            case .list(let kind), .map(let kind): named(kind)
            default: nil
            }
        }
        #expect(Schema.kubernetes.types.count > 130)
        for (type, fields) in Schema.kubernetes.types {
            for (name, field) in fields {
                guard let object = named(field.kind) else { continue }
                #expect(Schema.kubernetes.types[object] != nil, "\(type).\(name)")
            }
        }
    }
}
