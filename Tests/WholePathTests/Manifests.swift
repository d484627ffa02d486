/// The manifests of these tests, as a person would write them.
enum Manifests {
    /// The web sample, which answers with the `greeting` that it takes for its pod's name.
    static func web(greeting: String) -> String {
        """
        apiVersion: v1
        kind: Pod
        metadata:
          name: web
          labels: {app: web}
        spec:
          terminationGracePeriodSeconds: 5
          containers:
            - name: web
              image: localhost/web:latest
              env:
                - {name: POD_NAME, value: "\(greeting)"}
              ports:
                - containerPort: 8080
              readinessProbe:
                httpGet: {path: /healthz, port: 8080}
                periodSeconds: 1
              volumeMounts:
                - {name: scratch, mountPath: /scratch}
          volumes:
            - name: scratch
              emptyDir: {}
        """
    }

    /// A pod that counts, a line every 50 ms, and has `mark` in its command line.
    static func counter(_ name: String, mark: String) -> String {
        """
        apiVersion: v1
        kind: Pod
        metadata:
          name: \(name)
        spec:
          terminationGracePeriodSeconds: 1
          containers:
            - name: counter
              image: localhost/busybox:latest
              command:
                - sh
                - -c
                - "trap 'exit 0' TERM; i=0; while :; do echo $i; i=$((i + 1)); sleep 0.05; done"
                - \(mark)
        """
    }

    /// A pod whose only container ends by itself with `code` once the file `/signal/go` is there.
    static func ending(_ name: String, code: Int, directory: String) -> String {
        """
        apiVersion: v1
        kind: Pod
        metadata:
          name: \(name)
        spec:
          restartPolicy: Never
          terminationGracePeriodSeconds: 1
          containers:
            - name: ending
              image: localhost/busybox:latest
              command: [sh, -c, "while [ ! -e /signal/go ]; do sleep 0.05; done; exit \(code)"]
              volumeMounts:
                - {name: signal, mountPath: /signal}
          volumes:
            - name: signal
              hostPath: {path: "\(directory)", type: Directory}
        """
    }
}
