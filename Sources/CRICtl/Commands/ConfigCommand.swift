import ArgumentParser
import FoundationEssentials

/// `crictl config`
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Get, set and list crictl configuration options",
        discussion: """
            The file is /etc/crictl.yaml, or what --config before the verb names.

              kubesim crictl config --set runtime-endpoint=unix:///run/containerd/containerd.sock
              kubesim crictl config timeout 30
              kubesim crictl config --get timeout
              kubesim crictl config --list

            OPTIONS OF THE FILE:
              runtime-endpoint      Where the runtime listens
              image-endpoint        Where the image service listens
              timeout               Seconds that a call may take
              debug                 Say on standard error what is being done
              pull-image-on-create  Pull before create
              disable-pull-on-run   Don't pull before run
              max-retries           How often to try to connect again
            """)

    @Argument(help: "An option's name and its new value") var nameAndValue: [String] = []
    @Option(help: "Show the option value") var get: String?
    @Option(help: "Set options: name=value, several with commas or several times") var set: [String] = []
    @Flag(help: "Show all option values") var list = false

    func run() async throws {
        let path =
            GlobalOptions.current?.config ?? Endpoints.environment("CRI_CONFIG_FILE") ?? ClientConfiguration.defaultPath
        var configuration = try ClientConfiguration.read(path) ?? ClientConfiguration()
        if let get {
            guard ClientConfiguration.options.contains(where: { $0.name == get }) else {
                throw Failure("no configuration option named \(get)")
            }
            return say(configuration[get])
        }
        if list {
            var table = Table(["KEY", "VALUE"])
            for option in ClientConfiguration.options { table.add([option.name, configuration[option.name]]) }
            return show(table.text)
        }
        if !set.isEmpty {
            for setting in set.flatMap({ $0.split(separator: ",") }) {
                let pair = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard pair.count == 2 else { throw Failure("incorrectly specified option: \(setting)") }
                try configuration.set(String(pair[0]), String(pair[1]))
            }
        } else {
            guard nameAndValue.count == 2 else { throw ValidationError("an option's name and its value are needed") }
            try configuration.set(nameAndValue[0], nameAndValue[1])
        }
        try Self.write(configuration, path)
    }

    private static func write(_ configuration: ClientConfiguration, _ path: String) throws {
        let url = URL(filePath: path)
        let old = (try? Data(contentsOf: url)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        do {
            try FileManager.default.createDirectory(
                atPath: url.deletingLastPathComponent().path, withIntermediateDirectories: true)
            try Data(configuration.text(replacing: old).utf8).write(to: url, options: .atomic)
        } catch {
            throw Failure("writing \(path)", error)
        }
    }
}
