import Glibc

/// What this host can run, in the words that images use (Go's GOARCH).
struct Platform: Sendable, Hashable {
    /// The host's architecture first, then the older one that its processor runs as well.
    let architectures: [String]

    static let host: Platform = {
        var name = utsname()
        uname(&name)
        let machine = withUnsafePointer(to: &name.machine) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 65) { String(cString: $0) }
        }
        return Platform(machine: machine)
    }()

    init(machine: String) {
        switch machine {
        case "x86_64": architectures = ["amd64", "386"]
        case "aarch64": architectures = ["arm64", "arm"]
        case "i386", "i486", "i586", "i686": architectures = ["386"]
        case "ppc64le", "s390x", "riscv64", "loongarch64", "mips64le": architectures = [machine]
        case let arm where arm.hasPrefix("arm"): architectures = ["arm"]
        default: architectures = [machine]
        }
    }

    var description: String { "linux/\(architectures.first ?? "unknown")" }

    /// How well an image for that platform fits: 0 best, nil not at all. Nothing said fits.
    func rank(_ platform: Descriptor.Platform?) -> Int? {
        guard let platform else { return 0 }
        guard platform.os ?? "" == "" || platform.os == "linux" else { return nil }
        guard let architecture = platform.architecture, !architecture.isEmpty else { return 0 }
        guard let index = architectures.firstIndex(of: architecture) else { return nil }
        // Among an architecture's variants the plain one runs everywhere; then the newest that every such host has.
        let variants = architecture == "arm" ? ["v7", "v6", "v5"] : architecture == "arm64" ? ["v8"] : ["v1"]
        guard let variant = platform.variant, !variant.isEmpty else { return index * 10 }
        guard let place = variants.firstIndex(of: variant) else { return nil }
        return index * 10 + place
    }
}
