import Glibc
import Linux

/// The program's environment.
enum Environment {
    /// What the configuration says, and HOME when it says none: from the container's /etc/passwd, else "/".
    static func complete(_ process: ProcessPlan) throws(RuntimeError) -> [String] {
        let environment = withoutRepetitions(process.environment)
        if environment.contains(where: { $0.hasPrefix("HOME=") && $0.utf8.count > 5 }) { return environment }
        let rest = environment.filter { !$0.hasPrefix("HOME=") }
        return rest + ["HOME=" + (home(of: process.uid) ?? "/")]
    }

    /// Of a name that is there twice the last value counts (programs disagree on which one they see), where the first stood.
    static func withoutRepetitions(_ environment: [String]) -> [String] {
        if environment.count > fewest { return withoutRepetitionsOfMany(environment) }
        var kept: [String] = []
        kept.reserveCapacity(environment.count + 1)
        for entry in environment {
            if let place = kept.firstIndex(where: { haveOneName($0, entry) }) {
                kept[place] = entry
            } else {
                kept.append(entry)
            }
        }
        return kept
    }

    /// Up to here each with each is compared: Swift's runtime makes a dictionary's type only when it is first used, which takes
    /// longer.
    private static let fewest = 32

    private static func haveOneName(_ one: String, _ other: String) -> Bool {
        var (here, there) = (one.utf8.makeIterator(), other.utf8.makeIterator())
        while true {
            let (byte, against) = (here.next() ?? UInt8(ascii: "="), there.next() ?? UInt8(ascii: "="))
            if byte != against { return false }
            if byte == UInt8(ascii: "=") { return true }
        }
    }

    private static func withoutRepetitionsOfMany(_ environment: [String]) -> [String] {
        var places: [Substring: Int] = [:]
        var kept: [String] = []
        for entry in environment {
            let name = entry.prefix { $0 != "=" }
            if let place = places[name] {
                kept[place] = entry
            } else {
                places[name] = kept.count
                kept.append(entry)
            }
        }
        return kept
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
