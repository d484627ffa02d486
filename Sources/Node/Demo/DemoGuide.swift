/// What a newcomer is told when the demo starts.
enum DemoGuide {
    static func text(_ places: NodePlaces) -> String {
        let socket = "--runtime-endpoint unix://\(places.socket)"
        return """
            kubesim demo: a node on \(places.root), pods from \(places.manifests)

            Worth trying in another terminal:
              bin/kubesim pods --root \(places.root)
              bin/kubesim crictl \(socket) ps
              bin/kubesim crictl \(socket) exec -it $(bin/kubesim crictl \(socket) ps -q | head -1) sh

            Ctrl-C stops the pods and leaves nothing behind.

            """
    }
}
