import FoundationEssentials

/// Where a node keeps everything: a plain value, made from what was asked for.
///
/// With the standard root the places are those of any Kubernetes node; with another one they all lie below it, and the
/// names that the kernel shares among nodes (bridge, cgroup, pod addresses) carry a tag made from the root's path, so that
/// several nodes run on one machine without knowing of each other.
public struct NodePlaces: Sendable, Equatable {
    public static let standardRoot = "/var/lib/kubesim"

    /// Lasting data: image content, layers, records.
    public let root: String
    /// What a reboot may take away: sockets, mounts, bundles.
    public let state: String
    public let manifests: String
    public let images: String
    public let socket: String
    public let podLogs: String
    /// Symbolic links to the logs, named as log collectors expect: beside `podLogs`.
    public let containerLogs: String
    /// Where NRI plugins connect, unless the configuration says otherwise.
    public let nriSocket: String
    /// The bridge that pods are attached to; at most 15 bytes.
    public let bridge: String
    /// The cgroup below which `kubepods` is made.
    public let cgroupRoot: String
    /// The pods' addresses, unless a CNI configuration of the host says otherwise.
    public let podCIDR: String
    /// IPv6 addresses that pods get beside these where the host has IPv6; nil where the pods' addresses were asked for.
    public let podCIDR6: String?

    /// What may be asked for; nil is the default.
    public struct Wishes: Sendable, Equatable {
        public var root: String?
        public var state: String?
        public var manifests: String?
        public var images: String?
        public var socket: String?
        public var podLogs: String?
        public var podCIDR: String?

        public init(
            root: String? = nil, state: String? = nil, manifests: String? = nil, images: String? = nil,
            socket: String? = nil, podLogs: String? = nil, podCIDR: String? = nil
        ) {
            self.root = root
            self.state = state
            self.manifests = manifests
            self.images = images
            self.socket = socket
            self.podLogs = podLogs
            self.podCIDR = podCIDR
        }

        /// These wishes, and the other's where these are silent.
        package func over(_ other: Wishes) -> Wishes {
            Wishes(
                root: root ?? other.root, state: state ?? other.state, manifests: manifests ?? other.manifests,
                images: images ?? other.images, socket: socket ?? other.socket, podLogs: podLogs ?? other.podLogs,
                podCIDR: podCIDR ?? other.podCIDR)
        }
    }

    /// - Parameter directory: what relative paths start from
    public init(_ wishes: Wishes, relativeTo directory: String) {
        func absolute(_ path: String) -> String { Self.absolute(path, from: directory) }
        root = absolute(wishes.root ?? Self.standardRoot)
        let standard = root == Self.standardRoot
        state = absolute(wishes.state ?? (standard ? "/run/kubesim" : root + "/run"))
        manifests = absolute(wishes.manifests ?? (standard ? "/etc/kubesim/manifests" : root + "/manifests"))
        images = absolute(wishes.images ?? root + "/images")
        socket = absolute(wishes.socket ?? (standard ? state : root) + "/kubesim.sock")
        podLogs = absolute(wishes.podLogs ?? (standard ? "/var/log/pods" : root + "/log/pods"))
        containerLogs = Self.absolute("../containers", from: podLogs)
        let tag = Self.tag(of: root)
        nriSocket = standard ? "/var/run/nri/nri.sock" : root + "/nri/nri.sock"
        bridge = standard ? "kubesim0" : "ks" + Self.hexadecimal(tag)
        cgroupRoot = standard ? "/" : "/kubesim-" + Self.hexadecimal(tag)
        podCIDR = wishes.podCIDR ?? (standard ? "10.85.0.0/16" : Self.subnet(tag))
        podCIDR6 = wishes.podCIDR == nil ? Self.uniqueLocal(tag) : nil
    }

    /// An absolute path without `.`, `..` and doubled slashes, as text: symbolic links are left alone.
    package static func absolute(_ path: String, from directory: String) -> String {
        var parts: [Substring] = []
        for part in (path.hasPrefix("/") ? path : directory + "/" + path).split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// FNV-1a folded to 32 bits: short, stable, and spread well enough to keep a few nodes apart.
    private static func tag(of text: String) -> UInt32 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return UInt32(truncatingIfNeeded: hash ^ (hash >> 32))
    }

    private static func hexadecimal(_ tag: UInt32) -> String {
        let digits = String(tag, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// One of 25,600 networks of 254 pods in 10.100.0.0–10.199.255.255.
    private static func subnet(_ tag: UInt32) -> String {
        "10.\(100 + tag % 100).\(tag / 100 % 256).0/24"
    }

    /// A network of unique local addresses (RFC 4193): `fd`, 40 bits of ours of which 32 are the tag, the first subnet.
    private static func uniqueLocal(_ tag: UInt32) -> String {
        let digits = hexadecimal(tag)
        return "fd6b:\(digits.prefix(4)):\(digits.suffix(4))::/64"
    }
}
