import Glibc

/// Makes the directories that a daemon finds itself in.
enum NodeDirectories {
    /// The last part of each path gets its mode, what is missing above it 0755; what is there stays as it is.
    ///
    /// - Throws: ``NodeError`` that names the directory.
    static func make(_ wanted: [(path: String, mode: mode_t)]) throws(NodeError) {
        for (path, mode) in wanted {
            var built = ""
            for part in path.split(separator: "/") {
                built += "/" + part
                if mkdir(built, built == path ? mode : 0o755) != 0 && errno != EEXIST {
                    throw NodeError("cannot make the directory \(built): \(String(cString: strerror(errno)))")
                }
            }
        }
    }
}
