import CLinux
import Glibc
import Linux

/// The container's terminal: a pty of its own devpts, whose master goes to the caller.
enum ConsoleStage {
    private static let devptsMagic: Int64 = 0x1cd1

    /// Opens the pty, sends its master to the console socket, binds the peer over /dev/console.
    /// - Returns: the peer.
    static func open(_ context: InitContext, root: Int32) throws(RuntimeError) -> Descriptor {
        let plan = context.plan
        return try step("terminal") { () throws(SystemError) in
            let master = try openMaster(root: root)
            let peer = try openPeer(master, plan.process, context.console)
            try send(master, to: context.console)
            if plan.namespaces.creates(.mount), plan.devices != nil { try bindConsole(peer, root: root) }
            return peer
        }
    }

    /// For `exec`: from inside the container, whose root this process has.
    static func openInside(_ process: ProcessPlan, console: ConsoleTarget) throws(RuntimeError) -> Descriptor {
        try step("terminal") { () throws(SystemError) in
            let root = try File.open("/", OpenFlag.path | O_DIRECTORY)
            let master = try openMaster(root: root.raw)
            let peer = try openPeer(master, process, console)
            try send(master, to: console)
            return peer
        }
    }

    /// The container's own devpts, proven to be one; else the host's.
    private static func openMaster(root: Int32) throws(SystemError) -> Descriptor {
        let flags = O_RDWR | O_NOCTTY
        let path = "/dev/pts/ptmx"
        let master: Descriptor
        do throws(SystemError) {
            master = try RootedPath.open(path, flags, root: root, resolve: [.inRoot, .noSymlinks])
        } catch {
            if error.errno == .noEntry || error.errno == .notDirectory {
                throw SystemError("open (mount a devpts on /dev/pts)", path: path, errno: error.errno)
            }
            throw error
        }
        if try FilesystemStatistics(of: master).type != devptsMagic {
            throw SystemError("open (not a pty)", path: path, errno: .noDevice)
        }
        return master
    }

    /// The other end by ioctl, never by its name (CVE-2025-52565).
    private static func openPeer(
        _ master: borrowing Descriptor, _ process: ProcessPlan, _ console: ConsoleTarget
    ) throws(SystemError) -> Descriptor {
        try check(sys_pty_unlock(master.raw), "TIOCSPTLCK")
        let peer = Descriptor(owning: try check(sys_pty_peer(master.raw), "TIOCGPTPEER"))
        try checkErrno(fchown(peer.raw, process.uid, gid_t.max), "chown the terminal")
        if let size = process.consoleSize {
            try check(sys_set_window_size(master.raw, size.height, size.width), "TIOCSWINSZ")
        }
        if console.isCarriedHere { try check(sys_clear_onlcr(peer.raw), "tcsetattr") }
        return peer
    }

    /// One byte of the name of what comes, and the descriptor (runc's console socket protocol).
    private static func send(_ master: borrowing Descriptor, to console: ConsoleTarget) throws(SystemError) {
        let name = Array("/dev/ptmx".utf8)
        let sent = name.withUnsafeBytes { bytes in
            [master.raw].withUnsafeBufferPointer {
                sys_send(console.socket, bytes.baseAddress, bytes.count, $0.baseAddress, 1, 0)
            }
        }
        try check(sent, "send the terminal to the console socket")
    }

    private static func bindConsole(_ peer: borrowing Descriptor, root: Int32) throws(SystemError) {
        let target = try RootedPath.makeFile("/dev/console", mode: 0, root: root)
        try MountTree.clone("", at: peer.raw, recursive: false).attach(over: target.raw)
    }

    /// Makes the peer the controlling terminal and the three standard streams.
    static func adopt(_ peer: borrowing Descriptor) throws(RuntimeError) {
        try step("terminal") { () throws(SystemError) in
            try check(sys_set_controlling_terminal(peer.raw), "TIOCSCTTY")
            for number in Int32(0)...2 { try checkErrno(dup2(peer.raw, number), "dup2") }
        }
    }
}
