import FuzzKit
import Glibc

@testable import Images

/// The administrator's files: `hosts.toml`, and docker's `config.json`.
func read(_ bytes: [UInt8]) {
    if let hosts = try? HostsFile(bytes) {
        precondition(!hosts.endpoints.isEmpty && hosts.endpoints.count <= 65)
        for header in hosts.endpoints.flatMap(\.headers) {
            precondition(!header.value.utf8.contains { $0 == 0x0a || $0 == 0x0d }, "no header holds another")
        }
    }
    if let config = try? DockerConfig(bytes, entry: "config.json") {
        _ = try? config.credentials(registry: "docker.io", repository: "library/busybox")?.basic()
    }
}

exit(Fuzzer.run(read))
