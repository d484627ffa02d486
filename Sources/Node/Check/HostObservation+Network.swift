import FoundationEssentials
import Glibc
import Linux

extension HostObservation {
    mutating func observeNetwork(_ confDir: String, _ directories: [String]) {
        pluginDirectories = directories
        for directory in directories {
            // A directory that isn't there holds no plugins.
            for name in (try? Directory.names(directory)) ?? [] where access("\(directory)/\(name)", X_OK) == 0 {
                plugins.insert(name)
            }
        }
        neededPlugins = ["bridge", "host-local", "portmap"]
        observeConfiguration(confDir)
        ipForward = Self.number("/proc/sys/net/ipv4/ip_forward").map { $0 != 0 }
        bridgeCallsIptables = Self.number("/proc/sys/net/bridge/bridge-nf-call-iptables").map { $0 != 0 }
        observeIptables()
    }

    /// The first file by name is the one that counts, as with every CNI runtime.
    private mutating func observeConfiguration(_ directory: String) {
        let names = ((try? Directory.names(directory)) ?? []).sorted()  // none is usual
        guard
            let name = names.first(where: {
                $0.hasSuffix(".conflist") || $0.hasSuffix(".conf") || $0.hasSuffix(".json")
            })
        else { return }
        let path = "\(directory)/\(name)"
        networkConfiguration = path
        do {
            let bytes = try File.read(path, limit: 1 << 20)
            let list = try JSONDecoder().decode(NetworkFile.self, from: Data(bytes))
            let needed = list.needed
            if needed.isEmpty { networkConfigurationError = "\(path) names no plugin" }
            neededPlugins = needed
        } catch let error as SystemError {
            networkConfigurationError = "\(error)"
        } catch {
            networkConfigurationError = "\(path) is no CNI configuration"
        }
    }

    private mutating func observeIptables() {
        let places = ["/usr/sbin", "/sbin", "/usr/bin", "/usr/local/sbin"].map { "\($0)/iptables" }
        guard let program = places.first(where: { access($0, X_OK) == 0 }) else {
            iptables = .missing
            return
        }
        guard geteuid() == 0 else { return }
        let nat = ShortCommand.run(program, ["-w", "5", "-t", "nat", "-S", "POSTROUTING"])
        guard nat.succeeded else {
            iptables = .failed("\(program) -t nat: \(nat.lastLine)")
            return
        }
        iptables = .works(ShortCommand.run(program, ["--version"]).lastLine)
        let forward = ShortCommand.run(program, ["-w", "5", "-S", "FORWARD"])
        forwardPolicyDrops = forward.succeeded && forward.output.hasPrefix("-P FORWARD DROP")
    }
}

/// What is asked of a CNI configuration: which plugins it runs.
private struct NetworkFile: Decodable {
    struct Plugin: Decodable {
        struct Addresses: Decodable { var type: String? }
        var type: String?
        var ipam: Addresses?
    }

    var plugins: [Plugin]?
    var type: String?
    var ipam: Plugin.Addresses?

    var needed: [String] {
        let all = plugins ?? [Plugin(type: type, ipam: ipam)]
        return all.flatMap { [$0.type, $0.ipam?.type] }.compactMap(\.self).filter { !$0.isEmpty }
    }
}

/// A command that is over in a moment, and what it printed.
struct ShortCommand {
    var succeeded: Bool
    var output: String

    var lastLine: String {
        output.split(separator: "\n").last.map(String.init) ?? "no output"
    }

    /// Runs it with standard output and error together; at most 10 seconds and 64 KiB.
    static func run(_ program: String, _ arguments: [String]) -> ShortCommand {
        do throws(SystemError) {
            var pipe = try Pipe()
            let null = try File.open("/dev/null", O_RDWR)
            var spawn = Spawn(program, [program] + arguments)
            spawn.descriptors = [null.raw, pipe.writing, pipe.writing]
            let child = try spawn.start()
            close(pipe.takeWriting())
            let ended = try child.pidfd.ended(withinMilliseconds: 10_000)
            if !ended { try child.pidfd.signal(SIGKILL) }
            let status = try child.pidfd.wait()
            let reading = Descriptor(owning: pipe.takeReading())
            let output = String(decoding: try reading.readAll(limit: 64 << 10), as: UTF8.self)
            return ShortCommand(succeeded: ended && status?.shellCode == 0, output: output)
        } catch {
            return ShortCommand(succeeded: false, output: "\(error)")
        }
    }
}
