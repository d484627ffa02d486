import CLinux
import Glibc
import Linux

extension NetworkDevicePlan {
    private enum Message {
        static let newLink: UInt16 = 16
        static let newAddress: UInt16 = 20
        static let getAddress: UInt16 = 22
    }

    /// An address that is kept: RTM_NEWADDR's body without the interface.
    private struct Address {
        var family: UInt8
        var prefix: UInt8
        var scope: UInt8
        var attributes: [(type: UInt16, value: [UInt8])]
    }

    /// Moves the device into the process's network namespace under its new name, with its global addresses, and sets it up.
    /// The kernel gives it back to the host when the namespace ends.
    func move(to pid: pid_t) throws(RuntimeError) {
        try step("linux.netDevices \(name)") { () throws(SystemError) in
            let target = try File.open("/proc/\(pid)/ns/net")
            let addresses = try move(into: target.raw)
            let own = try File.open("/proc/self/ns/net")
            try Namespace.network.join(target.raw)
            do throws(SystemError) {
                try finish(addresses)
            } catch {
                try Namespace.network.join(own.raw)
                throw error
            }
            try Namespace.network.join(own.raw)
        }
    }

    private func move(into namespace: Int32) throws(SystemError) -> [Address] {
        let index = try RouteSocket.index(of: name)
        var socket = try RouteSocket()
        let addresses = try Self.addresses(of: index, &socket)
        var body = Self.linkHeader(index, up: false)
        try body.attribute(28, UInt32(bitPattern: namespace))  // IFLA_NET_NS_FD
        try body.attribute(3, Array(newName.utf8) + [0])  // IFLA_IFNAME
        _ = try socket.request(Message.newLink, [], body.bytes, "move to the container")
        return addresses
    }

    private func finish(_ addresses: [Address]) throws(SystemError) {
        let index = try RouteSocket.index(of: newName)
        var socket = try RouteSocket()
        for address in addresses {
            var body = NetlinkBytes()
            for byte in [address.family, address.prefix, 0x80, address.scope] { body.number(byte) }
            body.number(index)
            for (type, value) in address.attributes { try body.attribute(type, value) }
            do throws(SystemError) {
                _ = try socket.request(Message.newAddress, [.create, .exclusive], body.bytes, "keep an address")
            } catch {
                if error.errno != .exists { throw error }
            }
        }
        _ = try socket.request(Message.newLink, [], Self.linkHeader(index, up: true).bytes, "set up")
    }

    /// struct ifinfomsg.
    private static func linkHeader(_ index: Int32, up: Bool) -> NetlinkBytes {
        var body = NetlinkBytes()
        body.number(UInt16(0))
        body.number(UInt16(0))
        body.number(index)
        body.number(UInt32(up ? 1 : 0))
        body.number(UInt32(up ? 1 : 0))
        return body
    }

    /// Permanent addresses of global scope: the others are the kernel's own to make.
    private static func addresses(of index: Int32, _ socket: inout RouteSocket) throws(SystemError) -> [Address] {
        var found: [Address] = []
        let all = try socket.request(Message.getAddress, .dump, [0, 0, 0, 0, 0, 0, 0, 0], "read the addresses")
        for (type, body) in all where type == Message.newAddress && body.count >= 8 {
            // struct ifaddrmsg: family, prefix, flags, scope, index
            let bytes = Array(body)
            guard NetlinkBytes.read(body, 4, Int32.self) == index, bytes[3] == 0, bytes[2] & 0x80 != 0 else { continue }
            guard let attributes = NetlinkBytes.attributes(body.dropFirst(8)) else {
                throw SystemError("read the addresses", errno: .messageSize)
            }
            // IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST
            let kept = attributes.filter { [1, 2, 4].contains($0.type) }.map { (type: $0.type, value: Array($0.value)) }
            found.append(Address(family: bytes[0], prefix: bytes[1], scope: bytes[3], attributes: kept))
        }
        return found
    }
}
