import Glibc
import Linux

/// What a node needs to know of its host.
enum HostFacts {
    /// The host's name in lower case: the node's name unless it is told another.
    static func name() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self).lowercased()
    }

    /// The host's own IPv4 addresses, that of the default route first.
    static func addresses() -> [String] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [] }
        defer { freeifaddrs(list) }
        let preferred = defaultRouteInterface()
        var found: [(interface: String, address: String)] = []
        var entry = list
        while let current = entry?.pointee {
            entry = current.ifa_next
            guard let address = current.ifa_addr, Int32(address.pointee.sa_family) == AF_INET,
                current.ifa_flags & UInt32(IFF_LOOPBACK) == 0
            else { continue }
            var text = [CChar](repeating: 0, count: Int(INET_ADDRSTRLEN))
            var binary = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self).sin_addr
            guard inet_ntop(AF_INET, &binary, &text, socklen_t(text.count)) != nil else { continue }
            let written = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            found.append((String(cString: current.ifa_name), written))
        }
        let first = found.filter { $0.interface == preferred }
        return (first + found.filter { $0.interface != preferred }).map(\.address)
    }

    /// The interface of the default route (proc_net_route: destination and mask zero).
    private static func defaultRouteInterface() -> String? {
        // A host without the file has no IPv4, and no default route then.
        let table = (try? File.readText("/proc/net/route")) ?? ""
        for line in table.split(separator: "\n").dropFirst() {
            let fields = line.split(separator: "\t")
            if fields.count > 7, fields[1] == "00000000", fields[7] == "00000000" { return String(fields[0]) }
        }
        return nil
    }
}
