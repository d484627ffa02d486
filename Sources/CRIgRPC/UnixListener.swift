import CRI
import Glibc

extension UnixEndpoint {
    /// Binds and listens: a socket that only its owner can reach.
    ///
    /// The mode is 0600 from the first moment, because the descriptor's mode is set before bind(2) makes the file of it.
    /// A missing directory is made with mode 0700. A socket file on which nobody listens is replaced; one that is
    /// alive, and anything that isn't a socket, is left alone.
    ///
    /// - Returns: a listening descriptor, the caller's.
    /// - Throws: `.alreadyExists` when somebody listens there, else `.internal` with step, path and errno.
    func listen(backlog: Int32 = 128) throws(CRIError) -> Int32 {
        try makeDirectory()
        try clearStale()
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw failure("socket", errno) }
        guard fchmod(socket, 0o600) == 0 else {
            let code = errno
            close(socket)
            throw failure("fchmod", code)
        }
        guard withAddress({ bind(socket, $0, $1) }) == 0 else {
            let code = errno
            close(socket)
            throw failure("bind", code)
        }
        guard Glibc.listen(socket, backlog) == 0 else {
            let code = errno
            close(socket)
            unlink(path)
            throw failure("listen", code)
        }
        return socket
    }

    private func makeDirectory() throws(CRIError) {
        let directory = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
        var made = ""
        for part in directory.split(separator: "/") {
            made += "/" + part
            guard mkdir(made, 0o700) == 0 || errno == EEXIST else { throw failure("mkdir \(made)", errno) }
        }
    }

    private func clearStale() throws(CRIError) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            guard errno == ENOENT else { throw failure("lstat", errno) }
            return
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw CRIError(
                .alreadyExists, "can't listen at \(path): something that isn't a socket is there; move it away")
        }
        guard let code = probe() else {
            throw CRIError(
                .alreadyExists,
                "can't listen at \(path): another process already does; stop it or choose another socket")
        }
        guard code == ECONNREFUSED else { throw failure("connect to the old socket", code) }
        guard unlink(path) == 0 || errno == ENOENT else { throw failure("unlink", errno) }
    }

    private func failure(_ step: String, _ code: Int32) -> CRIError {
        CRIError(.internal, "can't listen at \(path): \(step): \(describe(code))")
    }

    /// The file's identity, so that only the socket that we bound is removed in the end.
    func identity() -> (device: dev_t, inode: ino_t)? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        return (status.st_dev, status.st_ino)
    }
}
