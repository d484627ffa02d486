import FoundationEssentials
import Glibc

/// The programs that a node starts: they are installed beside `kubesim`, and `pause` there or in libexec.
package struct Programs: Sendable, Equatable {
    let runtime: String
    let shim: String
    let pause: String

    /// Finds them beside the running executable.
    ///
    /// - Throws: ``NodeError`` that names each missing program and the places looked at.
    package static func beside(_ directory: String) throws(NodeError) -> Programs {
        func find(_ name: String, _ places: [String]) throws(NodeError) -> String {
            for place in places where access(place + "/" + name, X_OK) == 0 { return place + "/" + name }
            throw NodeError(
                "no \(name) in \(places.joined(separator: " or ")): `make build` makes it, `make install` installs it")
        }
        let libexec = NodePlaces.absolute("../libexec/kubesim", from: directory)
        return Programs(
            runtime: try find("kubesim-oci", [directory]), shim: try find("kubesim-shim", [directory]),
            pause: try find("pause", [directory, libexec]))
    }

    /// The directory of the running executable.
    static func ownDirectory() throws(NodeError) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else {
            throw NodeError("cannot read /proc/self/exe: \(String(cString: strerror(errno))); is /proc mounted?")
        }
        let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return NodePlaces.absolute("..", from: path)
    }
}
