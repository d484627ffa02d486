import NIOHTTP1

/// The parts of a stream's URL: `/VERB/TOKEN?port=N`.
struct StreamTarget {
    var verb: String
    var token: String
    /// The ports of the query; nil when there is none, too many, or one that is no port.
    var ports: [UInt16]?

    init?(_ head: HTTPRequestHead) {
        // SPDY's clients say POST.
        guard head.method == .GET || head.method == .POST else { return nil }
        let halves = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = halves[0].split(separator: "/", omittingEmptySubsequences: false)
        guard path.count == 3, path[0].isEmpty else { return nil }
        verb = String(path[1])
        token = String(path[2])
        ports = halves.count == 2 ? Self.ports(halves[1]) : nil
    }

    private static func ports(_ query: Substring) -> [UInt16]? {
        var ports: [UInt16] = []
        for item in query.split(separator: "&") where item.hasPrefix("port=") {
            for text in item.dropFirst("port=".count).split(separator: ",") {
                guard let port = UInt16(text), port > 0, ports.count < PortForwardSession.maximumPorts else {
                    return nil
                }
                ports.append(port)
            }
        }
        return ports.isEmpty ? nil : ports
    }
}
