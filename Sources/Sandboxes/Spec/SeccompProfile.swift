import CRI
import Glibc
import JSON
import Linux
import OCISpec

/// The seccomp section of a container's spec.
enum SeccompProfile {
    /// Kinds of a profile that a security context can ask for.
    enum Wish: Sendable, Equatable {
        case unconfined
        case runtimeDefault
        /// A file on the node, absolute.
        case localhost(String)
    }

    /// Reads the wish out of a security context: `seccomp`, or the older `seccomp_profile_path`; neither is unconfined.
    static func wish(profile: CRISecurityProfile?, legacyPath: String) throws(CRIError) -> Wish {
        if let profile {
            switch profile.profileType {
            case .runtimeDefault: return .runtimeDefault
            case .unconfined: return .unconfined
            case .localhost: return .localhost(try file(profile.localhostRef))
            case .UNRECOGNIZED(let number):
                throw CRIError(.invalidArgument, "seccomp profile type \(number): unknown")
            }
        }
        switch legacyPath {
        case "", "unconfined": return .unconfined
        case "runtime/default", "docker/default": return .runtimeDefault
        default:
            guard legacyPath.hasPrefix("localhost/") else {
                throw CRIError(
                    .invalidArgument,
                    "seccomp profile \"\(legacyPath.prefix(200))\": not unconfined, runtime/default or localhost/FILE")
            }
            return .localhost(try file(legacyPath))
        }
    }

    private static func file(_ reference: String) throws(CRIError) -> String {
        let path = reference.hasPrefix("localhost/") ? String(reference.dropFirst(10)) : reference
        guard path.hasPrefix("/"), !path.utf8.contains(0) else {
            throw CRIError(.invalidArgument, "seccomp profile \"\(reference)\": not an absolute path")
        }
        return path
    }

    /// The bytes of a Localhost profile.
    ///
    /// - Parameter root: the directory that it has to lie in, whatever its links say; nil takes any file of the host
    static func read(_ path: String, below root: String?) throws(CRIError) -> [UInt8] {
        do throws(SystemError) {
            guard let root else { return try File.read(path, limit: largestFileBytes) }
            let prefix = root.hasSuffix("/") ? root : root + "/"
            guard path.hasPrefix(prefix) else {
                throw SystemError("open (outside of \(root), where profiles have to lie)", path: path, errno: .perm)
            }
            let folder = try File.open(root, OpenFlag.path | O_DIRECTORY)
            let file = try RootedPath.open(
                String(path.dropFirst(prefix.count)), O_RDONLY | O_CLOEXEC, root: folder.raw,
                resolve: [.beneath, .noMagicLinks])
            return try file.readAll(limit: largestFileBytes)
        } catch {
            throw CRIError(.invalidArgument, "seccomp profile \(path): \(error.call): \(error.errno)")
        }
    }

    private static let largestFileBytes = 4 << 20

    /// The default profile for a container with these capabilities: an allow-list, EPERM for the rest, ENOSYS where a
    /// libc falls back to an older call.
    static func runtimeDefault(capabilities: Set<String>, facts: HostFacts) -> LinuxSeccomp {
        let allow = "SCMP_ACT_ALLOW"
        var names = SeccompCalls.ordinary + SeccompCalls.peculiar(to: facts.seccompArchitecture)
        for (capability, calls) in SeccompCalls.byCapability where capabilities.contains(capability) { names += calls }
        var rules = [LinuxSyscall(names: Array(Set(names)).sorted(), action: allow)]
        // Execution domains that change nothing dangerous: Linux, 32-bit, UNAME26, both, and "which one is it?".
        for persona: UInt64 in [0x0, 0x8, 0x20000, 0x20008, 0xffff_ffff] {
            rules.append(
                LinuxSyscall(
                    names: ["personality"], action: allow,
                    args: [LinuxSeccompArg(index: 0, value: persona, op: "SCMP_CMP_EQ")]))
        }
        // AF_VSOCK speaks to the hypervisor, past every network namespace.
        rules.append(
            LinuxSyscall(
                names: ["socket"], action: allow, args: [LinuxSeccompArg(index: 0, value: 40, op: "SCMP_CMP_NE")]))
        if !capabilities.contains("CAP_SYS_ADMIN") {
            // No new namespaces: CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET.
            let flags: UInt32 = facts.seccompArchitecture == .s390 ? 1 : 0
            rules.append(
                LinuxSyscall(
                    names: ["clone"], action: allow,
                    args: [LinuxSeccompArg(index: flags, value: 0x7E02_0000, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ")]))
            // clone3's flags lie in memory, where a filter can't look: libcs fall back to clone on ENOSYS.
            rules.append(LinuxSyscall(names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: 38))
        }
        return LinuxSeccomp(
            defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 1, architectures: facts.seccompArchitectures,
            syscalls: rules)
    }

    /// Reads a profile file's bytes in the format of the runtime spec's `linux.seccomp` section, to which Docker's adds
    /// `archMap` (accepted: the host's architectures are taken from it).
    static func parse(_ bytes: [UInt8], path: String, facts: HostFacts) throws(CRIError) -> LinuxSeccomp {
        do {
            var profile = try LinuxSeccomp.read(bytes)
            guard !profile.defaultAction.isEmpty else {
                throw CRIError(.invalidArgument, "seccomp profile \(path): defaultAction is missing")
            }
            if profile.architectures.isEmpty { profile.architectures = facts.seccompArchitectures }
            return profile
        } catch let error as JSONError {
            throw CRIError(.invalidArgument, "seccomp profile \(path): \(error)")
        } catch let error as CRIError {
            throw error
        } catch {
            throw CRIError(.internal, "seccomp profile \(path): \(error)")
        }
    }
}
