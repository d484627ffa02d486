import Glibc
import Linux
import OCISpec

/// A call of criu(8), decided: its words, and the descriptors that it gets from 3 on.
struct CriuPlan: Sendable, Hashable {
    var words: [String] = []
    /// Paths of namespaces, opened in this order from descriptor 3 on.
    var namespacePaths: [String] = []
    /// A descriptor of the caller's that criu gets after those.
    var statusDescriptor: Int32?

    /// The flags that `checkpoint` and `restore` share.
    struct Options: Sendable {
        var images: String
        var work: String
        var switches: [String] = []
        var values: [(name: String, value: String)] = []
        var parent: String?
        var preDump = false
        var leaveRunning = false
        var statusDescriptor: Int32?
        var pageServer: (address: String, port: String)?
        var cgroupsMode = "soft"

        /// - Parameter state: the container's state directory, where logs go unless another place is named.
        init(_ flags: Arguments.Flags, state: String) throws(RuntimeError) {
            images = try Options.absolute(flags["image-path"] ?? "checkpoint")
            work = try flags["work-path"].map { path throws(RuntimeError) in try Options.absolute(path) } ?? images
            let names = [
                ("tcp-established", "--tcp-established"), ("tcp-skip-in-flight", "--skip-in-flight"),
                ("link-remap", "--link-remap"), ("ext-unix-sk", "--ext-unix-sk"), ("shell-job", "--shell-job"),
                ("lazy-pages", "--lazy-pages"), ("file-locks", "--file-locks"), ("auto-dedup", "--auto-dedup"),
            ]
            for (flag, word) in names where flags.has(flag) { switches.append(word) }
            preDump = flags.has("pre-dump")
            leaveRunning = flags.has("leave-running")
            for kind in flags.all("empty-ns") {
                if kind != "network" { throw RuntimeError("namespace \"\(kind)\" is not supported") }
                values.append(("--empty-ns", "net"))
            }
            if let profile = flags["lsm-profile"] { values.append(("--lsm-profile", profile)) }
            if let context = flags["lsm-mount-context"] { values.append(("--lsm-mount-context", context)) }
            cgroupsMode = flags["manage-cgroups-mode"].flatMap { $0.isEmpty ? nil : $0 } ?? "soft"
            if !["soft", "full", "strict", "ignore"].contains(cgroupsMode) {
                throw RuntimeError("invalid manage-cgroups-mode value: \(cgroupsMode)")
            }
            if let path = flags["parent-path"], !path.isEmpty {
                if path.hasPrefix("/") { throw RuntimeError("--parent-path must be relative") }
                if !File.exists(images + "/" + path) {
                    throw RuntimeError("invalid --parent-path: \(path) is not there")
                }
                parent = path
            }
            if let text = flags["status-fd"], text != "-1" {
                guard let number = Int32(text), number >= 0, Options.isWritable(number) else {
                    throw RuntimeError("invalid --status-fd argument \(text): not open for writing")
                }
                statusDescriptor = number
            }
            if let text = flags["page-server"], !text.isEmpty {
                guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]),
                    port > 0
                else { throw RuntimeError("Use --page-server ADDRESS:PORT to specify page server") }
                pageServer = (String(text[..<colon]), String(port))
            }
        }

        private static func isWritable(_ number: Int32) -> Bool {
            let mode = fcntl(number, F_GETFL)
            return mode >= 0 && mode & (O_WRONLY | O_RDWR) != 0
        }

        private static func absolute(_ path: String) throws(RuntimeError) -> String {
            if path.hasPrefix("/") { return path }
            guard let here = getcwd(nil, 0) else { throw RuntimeError("\(path): the working directory is gone") }
            defer { free(here) }
            return String(cString: here) + "/" + path
        }
    }

    private mutating func add(_ options: Options, log: String) {
        words += ["--images-dir", options.images, "--work-dir", options.work, "--log-file", log, "-v4"]
        words += ["--manage-cgroups=\(options.cgroupsMode)"] + options.switches
        for (name, value) in options.values { words += [name, value] }
        if let parent = options.parent { words += ["--prev-images-dir", parent, "--track-mem"] }
        if let status = options.statusDescriptor {
            statusDescriptor = status
            words += ["--status-fd", String(3 + namespacePaths.count)]
        }
    }

    /// Mounts that come from outside: criu keeps only their names.
    private static func externalMounts(_ plan: LaunchPlan) -> [(place: String, source: String)] {
        var found: [(place: String, source: String)] = []
        for mount in plan.mounts {
            if case .bind(let source) = mount.kind { found.append((MountPlan.cleaned(mount.destination), source)) }
        }
        return found
    }

    /// Files that are covered by the null device.
    private static func maskedFiles(_ plan: LaunchPlan, isFile: (String) -> Bool) -> [String] {
        plan.maskedPaths.filter(isFile).map { MountPlan.cleaned($0) }
    }

    /// - Parameters:
    ///   - freezer: the v1 or v2 cgroup to freeze by.
    ///   - isFile: whether a path is a file inside the container.
    ///   - inode: of the namespace that a path names.
    static func dump(
        _ plan: LaunchPlan, pid: pid_t, _ options: Options, freezer: String?, isFile: (String) -> Bool,
        inode: (String) -> UInt64?
    ) -> CriuPlan {
        var call = CriuPlan(words: [options.preDump ? "pre-dump" : "dump", "--tree", String(pid)])
        call.add(options, log: "dump.log")
        call.words += ["--root", plan.rootfs]
        if !options.preDump {
            for mount in externalMounts(plan) { call.words += ["--external", "mnt[\(mount.place)]:\(mount.place)"] }
            for path in maskedFiles(plan, isFile: isFile) { call.words += ["--external", "mnt[\(path)]:\(path)"] }
            for join in plan.namespaces.joined where join.kind == .network || join.kind == .pid {
                if let number = inode(join.path) {
                    call.words += ["--external", "\(join.kind.procName)[\(number)]:\(key(join.kind))"]
                }
            }
        }
        if options.leaveRunning, !options.preDump { call.words.append("--leave-running") }
        if let freezer { call.words += ["--freeze-cgroup", freezer] }
        if let server = options.pageServer {
            call.words += ["--page-server", "--address", server.address, "--port", server.port]
        }
        return call
    }

    /// - Parameters:
    ///   - root: where the root filesystem is mounted for criu.
    ///   - streams: what the standard streams were when the container was dumped (`descriptors.json`).
    static func restore(
        _ plan: LaunchPlan, root: String, pidFile: String, _ options: Options, streams: [String],
        isFile: (String) -> Bool
    ) -> CriuPlan {
        var call = CriuPlan(words: ["restore"])
        var external: [String] = []
        for join in plan.namespaces.joined where join.kind == .network || join.kind == .pid {
            external += ["--inherit-fd", "fd[\(3 + call.namespacePaths.count)]:\(key(join.kind))"]
            call.namespacePaths.append(join.path)
        }
        call.add(options, log: "restore.log")
        call.words += ["--root", root, "--restore-detached", "--restore-sibling", "--pidfile", pidFile]
        call.words += external
        for mount in externalMounts(plan) { call.words += ["--external", "mnt[\(mount.place)]:\(mount.source)"] }
        for path in maskedFiles(plan, isFile: isFile) { call.words += ["--external", "mnt[\(path)]:/dev/null"] }
        for (number, stream) in streams.enumerated() where stream.hasPrefix("pipe:") {
            call.words += ["--inherit-fd", "fd[\(number)]:\(stream)"]
        }
        return call
    }

    private static func key(_ kind: Namespace) -> String { kind == .network ? "extRootNetNS" : "extRootPidNS" }
}
