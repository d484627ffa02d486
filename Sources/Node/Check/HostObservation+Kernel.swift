import CLinux
import Cgroups
import Glibc
import Linux

extension HostObservation {
    /// Looks at the host. Tries things only where trying leaves nothing behind.
    ///
    /// - Parameter dataRoot: where the node will keep its data; it needn't exist.
    package static func look(
        dataRoot: String, confDir: String, pluginDirectories: [String], programDirectory: String
    ) -> HostObservation {
        var facts = HostObservation()
        facts.observeKernel()
        facts.observeCgroups()
        facts.observeData(dataRoot)
        facts.observeNetwork(confDir, pluginDirectories)
        facts.observeLimits()
        facts.observePrograms(programDirectory)
        return facts
    }

    private mutating func observeKernel() {
        user = geteuid()
        kernelRelease = Self.word("/proc/sys/kernel/osrelease") ?? ""
        hasSeccompFilters = File.exists("/proc/sys/kernel/seccomp/actions_avail")
        missingNamespaces = Namespace.allCases.filter { !$0.isSupported }.map(\.procName)
        maxUserNamespaces = Self.number("/proc/sys/user/max_user_namespaces")
        if let held = try? ProcessCapabilities.current() {  // unreadable: then the calls below tell what is missing
            missingCapabilities = Self.capabilities.filter { name in
                guard let bit = CapabilitySet(name: "CAP_\(name)") else { return false }
                return !held.effective.contains(bit)
            }
        }
        calls[.openat2] = Self.outcome { () throws(SystemError) in
            let root = try File.open("/", O_RDONLY | O_DIRECTORY)
            _ = try RootedPath.open("proc", OpenFlag.path, root: root.raw)
        }
        calls[.pidfd_open] = Self.outcome { () throws(SystemError) in _ = try Pidfd(pid: getpid()) }
        calls[.clone3] = Self.clone3()
        guard user == 0 else { return }
        calls[.fsopen] = Self.outcome { () throws(SystemError) in _ = try FilesystemContext(type: "tmpfs") }
        calls[.open_tree] = Self.outcome { () throws(SystemError) in _ = try MountTree.clone("/proc", recursive: false)
        }
    }

    private static let capabilities = [
        "CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID", "SETPCAP", "NET_ADMIN", "SYS_ADMIN", "MKNOD",
        "SYS_RESOURCE",
    ]

    /// Whether clone3(2) is there: flags that exclude each other are refused before anything is cloned.
    private static func clone3() -> Outcome {
        let newMounts: UInt64 = 0x0002_0000
        let shareFiles: UInt64 = 0x0000_0200
        let result = sys_clone3(newMounts | shareFiles, nil, -1, 0, { _ in _exit(0) }, nil)
        return result == -Int(EINVAL) ? .works : .failed("clone3: \(Errno(rawValue: Int32(clamping: -result)))")
    }

    static func outcome(_ attempt: () throws(SystemError) -> Void) -> Outcome {
        do throws(SystemError) {
            try attempt()
            return .works
        } catch {
            return .failed("\(error)")
        }
    }

    private mutating func observeCgroups() {
        do throws(CgroupError) {
            let host = try CgroupHost.detect()
            cgroupMode = host.mode.rawValue
            cgroupControllers = Set((Self.controllers + Self.version1Controllers).filter { host.has($0) })
        } catch {
            cgroupError = "\(error)"
        }
    }

    private mutating func observeLimits() {
        inotifyInstances = Self.number("/proc/sys/fs/inotify/max_user_instances")
        inotifyWatches = Self.number("/proc/sys/fs/inotify/max_user_watches")
        var soft: UInt64 = 0
        var hard: UInt64 = 0
        if sys_getrlimit(0, Int32(RLIMIT_NOFILE.rawValue), &soft, &hard) == 0 { openFiles = Int(clamping: hard) }
    }

    private mutating func observePrograms(_ directory: String) {
        let libexec = NodePlaces.absolute("../libexec/kubesim", from: directory)
        for (name, places) in [
            ("kubesim-oci", [directory]), ("kubesim-shim", [directory]), ("pause", [directory, libexec]),
        ] {
            let path = places.map { $0 + "/" + name }.first { File.exists($0) }
            var program = Program(name: name, path: path ?? directory + "/" + name)
            if path == nil {
                program.problem = "not in \(places.joined(separator: " or "))"
            } else if access(program.path, X_OK) != 0 {
                program.problem = "\(program.path) can't be executed"
            }
            programs.append(program)
        }
    }

    /// The one word of a file in `/proc`; nil when it can't be read.
    static func word(_ path: String) -> String? {
        guard let text = try? File.readText(path, limit: 4096) else { return nil }  // missing: that is the answer
        return text.split { $0.isWhitespace }.first.map(String.init)
    }

    static func number(_ path: String) -> Int? { word(path).flatMap { Int($0) } }
}
