import CRI
import SwiftProtobuf

/// The AppArmor profile of a process.
enum AppArmor {
    /// What RuntimeDefault means where it has been loaded (`packaging/apparmor/kubesim-default`).
    static let defaultProfile = "kubesim-default"

    /// The profile's name; nil leaves the process unconfined.
    ///
    /// - Throws: `.invalidArgument` where a profile is asked for that the host can't give: a process never runs with less
    ///   than what was asked
    static func profile(
        _ asked: CRISecurityProfile?, legacy: String, privileged: Bool, facts: HostFacts
    ) throws(CRIError) -> String? {
        var wish = asked
        if wish == nil { wish = try Self.asked(legacy) }
        guard let wish, wish.profileType != .unconfined else { return nil }
        guard facts.appArmor else {
            throw CRIError(
                .invalidArgument, "AppArmor profile: this host has no AppArmor (is it in the kernel's lsm= list?)")
        }
        switch wish.profileType {
        case .localhost:
            var name = wish.localhostRef
            if name.hasPrefix("localhost/") { name.removeFirst(10) }
            guard !name.isEmpty, facts.appArmorProfiles.contains(name) else {
                throw CRIError(
                    .invalidArgument,
                    "AppArmor profile \"\(name.prefix(200))\": not loaded; load it with apparmor_parser")
            }
            return name
        default:
            if privileged { return nil }
            guard facts.appArmorProfiles.contains(defaultProfile) else {
                throw CRIError(
                    .invalidArgument,
                    "AppArmor profile RuntimeDefault: \(defaultProfile) is not loaded; load it with apparmor_parser")
            }
            return defaultProfile
        }
    }

    /// The older text: empty, `unconfined`, `runtime/default` or `localhost/NAME`.
    private static func asked(_ legacy: String) throws(CRIError) -> CRISecurityProfile? {
        switch legacy {
        case "": return nil
        case "unconfined": return CRISecurityProfile.with { $0.profileType = .unconfined }
        case "runtime/default": return CRISecurityProfile.with { $0.profileType = .runtimeDefault }
        default:
            guard legacy.hasPrefix("localhost/") else {
                throw CRIError(.invalidArgument, "AppArmor profile \"\(legacy.prefix(200))\": unknown kind")
            }
            return CRISecurityProfile.with {
                $0.profileType = .localhost
                $0.localhostRef = legacy
            }
        }
    }
}
