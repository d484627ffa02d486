import Linux
import OCISpec

/// A network device of the host's that moves into the container (config-linux.md, Network Devices).
struct NetworkDevicePlan: Hashable, Sendable {
    /// On the host.
    var name: String
    /// In the container.
    var newName: String

    static func all(
        _ devices: [String: LinuxNetDevice], _ namespaces: NamespacePlan
    ) throws(RuntimeError) -> [NetworkDevicePlan] {
        if devices.isEmpty { return [] }
        if !namespaces.has(.network) {
            throw RuntimeError("linux.netDevices: unable to move network devices without a network namespace")
        }
        var plans: [NetworkDevicePlan] = []
        for (name, device) in devices.sorted(by: { $0.key < $1.key }) {
            let newName = device.name.flatMap { $0.isEmpty ? nil : $0 } ?? name
            for text in [name, newName] where !isName(text) {
                throw RuntimeError("linux.netDevices: invalid network device name \"\(text)\"")
            }
            if plans.contains(where: { $0.newName == newName }) {
                throw RuntimeError("linux.netDevices: two devices would be called \"\(newName)\"")
            }
            plans.append(NetworkDevicePlan(name: name, newName: newName))
        }
        return plans
    }

    /// The kernel's rule: 1 to 15 bytes, not "." or "..", without slash, colon and white space; a percent sign would make it a
    /// pattern.
    static func isName(_ text: String) -> Bool {
        (1...15).contains(text.utf8.count) && text != "." && text != ".."
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !Array("/:%".utf8).contains($0) }
    }
}
