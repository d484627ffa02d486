import Node
import Testing

@Suite struct NodePlacesTests {
    @Test("the standard root has the places of any Kubernetes node")
    func standard() {
        let places = NodePlaces(.init(), relativeTo: "/home/me")
        #expect(places.root == "/var/lib/kubesim")
        #expect(places.state == "/run/kubesim")
        #expect(places.manifests == "/etc/kubesim/manifests")
        #expect(places.images == "/var/lib/kubesim/images")
        #expect(places.socket == "/run/kubesim/kubesim.sock")
        #expect(places.podLogs == "/var/log/pods")
        #expect(places.containerLogs == "/var/log/containers")
        #expect(places.bridge == "kubesim0")
        #expect(places.cgroupRoot == "/")
        #expect(places.podCIDR == "10.85.0.0/16")
    }

    @Test("with another root everything lies below it")
    func elsewhere() {
        let places = NodePlaces(.init(root: "demo/../node"), relativeTo: "/srv")
        #expect(places.root == "/srv/node")
        for place in [
            places.state, places.manifests, places.images, places.socket, places.podLogs, places.containerLogs,
        ] {
            #expect(place.hasPrefix("/srv/node/"))
        }
        #expect(places.containerLogs == "/srv/node/log/containers")
    }

    @Test("two roots share no name of the kernel's, and one root always gets the same")
    func apart() {
        let one = NodePlaces(.init(root: "/a"), relativeTo: "/")
        let other = NodePlaces(.init(root: "/b"), relativeTo: "/")
        #expect(one.bridge != other.bridge)
        #expect(one.cgroupRoot != other.cgroupRoot)
        #expect(one.podCIDR != other.podCIDR)
        #expect(one.podCIDR6?.hasPrefix("fd6b:") == true && one.podCIDR6 != other.podCIDR6)
        #expect(one == NodePlaces(.init(root: "/a/"), relativeTo: "/elsewhere"))
        #expect(one.bridge.utf8.count <= 15)
    }

    @Test("each place can be moved by itself")
    func moved() {
        let places = NodePlaces(
            .init(
                root: "/r", state: "/s", manifests: "/m", images: "/i", socket: "/k.sock", podLogs: "/l/pods",
                podCIDR: "10.1.0.0/24"),
            relativeTo: "/")
        #expect(places.state == "/s")
        #expect(places.manifests == "/m")
        #expect(places.images == "/i")
        #expect(places.socket == "/k.sock")
        #expect(places.podLogs == "/l/pods")
        #expect(places.containerLogs == "/l/containers")
        // Who asks for addresses gets these and no others.
        #expect(places.podCIDR == "10.1.0.0/24" && places.podCIDR6 == nil)
    }

    @Test("the standard root with another state directory keeps its socket there")
    func movedState() {
        #expect(NodePlaces(.init(state: "/tmp/s"), relativeTo: "/").socket == "/tmp/s/kubesim.sock")
    }
}
