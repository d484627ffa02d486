import CRI
import JSON
import Linux
import OCISpec

/// What an OCI runtime can do on this host, as it says itself (`features`, runtime-spec features.md).
struct RuntimeFeatures: Sendable, Equatable {
    /// `rro` mounts.
    var recursiveReadOnlyMounts = false
    /// User namespaces, and mounts whose ids are mapped into them.
    var userNamespaces = false
    /// The version that its specifications are to name: the newest that both it and the engine know. One that says nothing of
    /// itself may refuse all that came after 1.0.
    var specVersion = "1.0.2"

    /// Reads a features document.
    ///
    /// - Parameter kernel: what the running kernel can do: both are needed
    init(_ document: JSONValue, kernel: KernelFeatures) {
        if let newest = document["ociVersionMax"]?.stringValue {
            specVersion = Self.isNewer(newest, than: Spec.version) ? Spec.version : newest
        }
        func texts(_ value: JSONValue?) -> [String] { value?.arrayValue?.compactMap(\.stringValue) ?? [] }
        recursiveReadOnlyMounts =
            kernel.mountAttributes && texts(document["mountOptions"]).contains("rro")
        userNamespaces =
            kernel.userNamespaces && texts(document["linux"]?["namespaces"]).contains("user")
            && document["linux"]?["mountExtensions"]?["idmap"]?["enabled"]?.boolValue == true
    }

    /// A runtime that says nothing of itself.
    init() {}

    private static func isNewer(_ version: String, than other: String) -> Bool {
        func numbers(_ text: String) -> [Int] {
            text.prefix { $0 != "-" && $0 != "+" }.split(separator: ".").map { Int($0) ?? 0 }
        }
        return other != version && numbers(other).lexicographicallyPrecedes(numbers(version))
    }
}

/// What the running kernel can do.
struct KernelFeatures: Sendable, Equatable {
    /// mount_setattr(2), Linux 5.12.
    var mountAttributes: Bool
    /// User namespaces, and as many as pods may want.
    var userNamespaces: Bool

    static func observe() -> KernelFeatures {
        var attributes = true
        do throws(SystemError) {
            try MountTree.change("", at: -1)
        } catch {
            attributes = error.errno != .noSystemCall
        }
        let most = (try? File.readText("/proc/sys/user/max_user_namespaces", limit: 64)) ?? "0"
        return KernelFeatures(
            mountAttributes: attributes,
            userNamespaces: attributes && (Int(most.prefix { $0 != "\n" }) ?? 0) > 0)
    }
}
