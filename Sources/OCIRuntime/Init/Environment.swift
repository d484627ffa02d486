import Glibc
import Linux

/// The program's environment.
enum Environment {
    /// What the configuration says, and HOME when it says none: from the container's /etc/passwd, else "/".
    static func complete(_ process: ProcessPlan) throws(RuntimeError) -> [String] {
        if process.environment.contains(where: { $0.hasPrefix("HOME=") && $0.utf8.count > 5 }) {
            return process.environment
        }
        let rest = process.environment.filter { !$0.hasPrefix("HOME=") }
        return rest + ["HOME=" + (home(of: process.uid) ?? "/")]
    }

    /// This process is inside the container's root by now; static glibc has no NSS, and the host's would be the wrong one.
    private static func home(of uid: UInt32) -> String? {
        // A missing or odd file means that nobody has a home.
        guard let file = try? File.open("/etc/passwd", O_RDONLY | O_NONBLOCK), let status = try? file.status(),
            status.isRegular, let bytes = try? file.readAll(limit: 1 << 20)
        else { return nil }
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            if fields.count > 5, UInt32(String(decoding: fields[2], as: UTF8.self)) == uid {
                let home = String(decoding: fields[5], as: UTF8.self)
                return home.utf8.first == UInt8(ascii: "/") ? home : nil
            }
        }
        return nil
    }
}
