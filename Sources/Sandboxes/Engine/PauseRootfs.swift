import CRI
import Linux

/// The root filesystem of every pause container: one directory with the program and the places to mount on.
enum PauseRootfs {
    /// Makes it, or brings the program up to date.
    static func make(at path: String, from program: String) throws {
        let bytes: [UInt8]
        do {
            bytes = try File.read(program, limit: 64 << 20)
        } catch {
            throw CRIError(
                .failedPrecondition, "pause program \(program): \(error.errno): build or install it (make build)")
        }
        for folder in ["", "/proc", "/dev", "/sys"] { try Directory.make(path + folder, mode: 0o755) }
        let target = path + "/pause"
        if (try? File.read(target, limit: 64 << 20)) == bytes { return }
        // Renamed over the old one, so that a pause that runs keeps the file that it started from.
        try AtomicFile.write(target, bytes, mode: 0o555)
    }
}
