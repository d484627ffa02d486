import Glibc
import Linux
import TestKit

/// A filesystem whose server never answers, as a dead NFS server's: a FUSE mount that nobody reads the questions of (fuse(4)).
final class HungFilesystem: Sendable {
    let path: String
    private let device: Int32

    static var isPossible: Bool { access("/dev/fuse", R_OK | W_OK) == 0 }

    init(at path: String) throws {
        self.path = path
        device = open("/dev/fuse", O_RDWR | O_CLOEXEC)
        guard device >= 0 else { throw POSIXFailure("open", "/dev/fuse") }
        let options = "fd=\(device),rootmode=40000,user_id=0,group_id=0"
        guard mount("hung", path, "fuse", UInt(MS_NOSUID | MS_NODEV), options) == 0 else {
            let failure = POSIXFailure("mount", path)
            close(device)
            throw failure
        }
    }

    /// Ends it: whoever waits for an answer gets ENOTCONN.
    func end() {
        close(device)
        umount2(path, Int32(MNT_DETACH))
    }
}
