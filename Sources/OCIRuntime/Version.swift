import CSeccomp
import OCISpec

/// Who this is.
enum Version {
    static let number = "0.1.0"

    static var libseccomp: String {
        guard let version = seccomp_version()?.pointee else { return "unknown" }
        return "\(version.major).\(version.minor).\(version.micro)"
    }

    /// runc's shape: engines look for "spec:". The first line has the name that the program was called by.
    static var text: String {
        "\(Program.name) version \(number)\ncommit: kubesim-oci-\(number)\nspec: \(Spec.version)\nlibseccomp: \(libseccomp)\n"
    }
}
