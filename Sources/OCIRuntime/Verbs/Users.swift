import Linux

/// The host's users, by file: static glibc has no NSS.
enum Users {
    /// The name in /etc/passwd, else "#1000".
    static func name(of uid: UInt32) -> String {
        let bytes = (try? File.read("/etc/passwd", limit: 1 << 20)) ?? []  // a host without one has only numbers
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            if fields.count > 2, UInt32(String(decoding: fields[2], as: UTF8.self)) == uid {
                return String(decoding: fields[0], as: UTF8.self)
            }
        }
        return "#\(uid)"
    }
}
