// swift-tools-version: 6.2
import PackageDescription

// The rooms of the house, lowest first; an arrow may only point down (docs/architecture.md has the picture).
// World A (`Linux` to `Shim`, the programs kubesim-oci and kubesim-shim): no Foundation, no Dispatch, no concurrency.
// World B (`KubeTypes` to `kubesim`): actors and structured concurrency over the libraries below.

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
    // Programs and tests are built from one compilation, so the tests' view into a room is there in the release too.
    .unsafeFlags(["-enable-testing"]),
]

/// Where kubesim-oci spends its milliseconds. Else a value of a big type is copied and destroyed through the type's metadata, which
/// Swift's runtime makes anew at every start, from the type's mangled name: a sixteenth of the CPU of a `run`.
let direct: [SwiftSetting] = strict + [.unsafeFlags(["-Xfrontend", "-disable-type-layout"])]

/// Generated sources are not ours to mend: their warnings stay warnings.
let generated: [SwiftSetting] = [.enableUpcomingFeature("ExistentialAny")]

/// World A's programs start in a millisecond because nothing is left to the dynamic linker. lld, which comes with Swift, puts
/// the functions that their commands run beside each other (bench/order.py), so that fewer pages are mapped.
let staticProgram: [LinkerSetting] = [
    .unsafeFlags([
        "-static-executable", "-use-ld=lld",
        "-Xlinker", "--symbol-ordering-file=\(Context.packageDirectory)/packaging/kubesim-oci.order",
        "-Xlinker", "--no-warn-symbol-ordering",
    ])
]

/// kubesim-oci begins before glibc does: CReadOnlySelf/entry.c.
let earlyEntry: [LinkerSetting] = [.unsafeFlags(["-Xlinker", "-e", "-Xlinker", "kubesim_oci_entry"])]

/// kubesim carries the Swift runtime with it and shares only glibc and Debian's libraries. The libraries are named because
/// the modules are compiled once, for the programs and for the tests, and tests can't be linked statically.
let selfContained: [LinkerSetting] = [
    .unsafeFlags([
        "-static-stdlib", "-lFoundation", "-lFoundationInternationalization", "-lFoundationEssentials",
        "-lCoreFoundation", "-l_FoundationCShims", "-l_FoundationCollections", "-l_FoundationICU",
        "-lswiftSynchronization", "-lstdc++",
    ])
]

func room(
    _ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = [], settings: [SwiftSetting] = strict
) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

func program(_ name: String, _ dependencies: [Target.Dependency], linker: [LinkerSetting] = []) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: strict, linkerSettings: linker)
}

/// The rooms are tested as they are shipped, optimised; the tests themselves are compiled in half the time without.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict + [.unsafeFlags(["-Onone"])])
}

let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioWebSocket = Target.Dependency.product(name: "NIOWebSocket", package: "swift-nio")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let database = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let grpcCore = Target.Dependency.product(name: "GRPCCore", package: "grpc-swift-2")
let grpcProtobuf = Target.Dependency.product(name: "GRPCProtobuf", package: "grpc-swift-protobuf")
let grpcTransport = Target.Dependency.product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport")

let package = Package(
    name: "kubesim",
    products: [
        .executable(name: "kubesim", targets: ["kubesim"]),
        .executable(name: "kubesim-oci", targets: ["kubesim-oci"]),
        .executable(name: "kubesim-shim", targets: ["kubesim-shim"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-protobuf", from: "2.4.1"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        // 0: C that Swift can't reach, and module maps of Debian's libraries.
        .target(name: "CLinux"),
        .target(name: "CReadOnlySelf", dependencies: ["CLinux"]),
        .systemLibrary(name: "CSeccomp"),
        .systemLibrary(name: "CCap"),
        .systemLibrary(name: "CArchive"),
        .systemLibrary(name: "CZlib"),
        .systemLibrary(name: "CISAL"),
        .systemLibrary(name: "CMalloc"),

        // 1: the kernel and the wire format, typed.
        room("Linux", ["CLinux", "CSeccomp", "CCap"], settings: direct),
        room("JSON", settings: direct),

        // 2: the words of the OCI, and the cgroup file names.
        room("OCISpec", ["JSON"], settings: direct),
        room("Cgroups", ["Linux", "CLinux", "OCISpec"], settings: direct),
        room("ShimProtocol", ["JSON"]),

        // 3: the two programs beside the kernel.
        room(
            "OCIRuntime", ["Linux", "CLinux", "CSeccomp", "CCap", "JSON", "OCISpec", "Cgroups"], settings: direct),
        room("Shim", ["Linux", "CLinux", "JSON", "ShimProtocol"]),

        // 4: the vocabularies of the services.
        room("KubeTypes", ["JSON", yams]),
        room("CRI", [protobuf], exclude: ["Proto"], settings: generated),

        // 5: images and the network, which know nothing of the CRI.
        room(
            "Images",
            [
                "Linux", "CLinux", "CArchive", "CISAL", "CMalloc", "JSON", crypto, httpClient, nioCore, nioPosix,
                nioHTTP1, nioSSL,
                log,
            ]),
        room("PodNetwork", ["Linux", "CLinux", "JSON", log]),
        room("ShimClient", ["Linux", "CLinux", "JSON", "ShimProtocol", log]),

        // 6: the engine behind the CRI, and the agent before it.
        room(
            "Sandboxes",
            [
                "CRI", "KubeTypes", "Linux", "CLinux", "JSON", "OCISpec", "Cgroups", "Images", "PodNetwork",
                "ShimClient", "ShimProtocol",
                protobuf, database, yams, log,
            ]),
        room("TTRPC", ["Linux", protobuf]),
        room("NRI", ["TTRPC", "Sandboxes", "CRI", "OCISpec", "Linux", protobuf, log]),
        room(
            "Kubelet",
            [
                "CRI", "KubeTypes", "Linux", "CLinux", "Cgroups", "OCISpec", protobuf, nioCore, nioPosix, nioHTTP1,
                nioSSL, log,
                lifecycle,
            ]),

        // 7: the rims.
        room("CRIgRPC", ["CRI", grpcCore, grpcProtobuf, grpcTransport, nioCore, protobuf, log], settings: generated),
        room("NodeControl", [grpcCore, grpcProtobuf, protobuf], exclude: ["Proto"], settings: generated),
        room(
            "Streaming",
            ["CRI", "JSON", "Linux", "CZlib", nioCore, nioPosix, nioHTTP1, nioSSL, nioWebSocket, log, lifecycle]),
        room(
            "CRICtl",
            ["CRI", "CRIgRPC", "JSON", "Linux", "Streaming", arguments, yams, protobuf, log]),
        room(
            "Node",
            [
                "CRI", "CRIgRPC", "NodeControl", "Sandboxes", "NRI", "Images", "PodNetwork", "Kubelet", "KubeTypes",
                "Streaming", "ShimProtocol", "Linux",
                "CLinux",
                "Cgroups", "JSON", arguments, protobuf, grpcCore, grpcTransport, yams, log, lifecycle, unixSignals,
            ]),

        // 8: the programs.
        program("kubesim-oci", ["OCIRuntime", "CReadOnlySelf"], linker: staticProgram + earlyEntry),
        program("kubesim-shim", ["Shim"], linker: staticProgram),
        program("kubesim", ["Node", "CRICtl", "Linux", arguments], linker: selfContained),

        // Tests. No test depends on a program: they find the binaries in bin/ by path.
        .target(
            name: "TestKit", dependencies: ["JSON"], path: "Tests/TestKit", swiftSettings: strict),
        tests("LinuxTests", ["Linux", "TestKit"]),
        tests("JSONTests", ["JSON"]),
        tests("OCISpecTests", ["OCISpec", "JSON"]),
        tests("CgroupsTests", ["Cgroups", "Linux", "OCISpec", "TestKit"]),
        tests("OCIRuntimeTests", ["OCIRuntime", "Linux", "OCISpec", "JSON", "TestKit"]),
        tests("KubeTypesTests", ["KubeTypes", "JSON"]),
        tests("ImagesTests", ["Images", "Linux", "CLinux", "CArchive", "TestKit", crypto, log]),
        tests("PodNetworkTests", ["PodNetwork", "Linux", "JSON", "TestKit"]),
        tests(
            "KubeletTests",
            [
                "Kubelet", "Cgroups", "KubeTypes", "CRI", "Linux", "TestKit", protobuf, nioCore, nioPosix, nioHTTP1,
                nioSSL, log,
            ]),
        tests("ShimTests", ["Shim", "ShimProtocol", "ShimClient", "Linux", "JSON", "TestKit"]),
        tests(
            "SandboxesTests",
            [
                "Sandboxes", "CRI", "Images", "PodNetwork", "OCISpec", "JSON", "Linux", "TestKit", protobuf, database,
                log,
            ]),
        tests("TTRPCTests", ["TTRPC"]),
        tests(
            "NRITests", ["NRI", "TTRPC", "Sandboxes", "CRI", "OCISpec", "Linux", "TestKit", protobuf, log]),
        tests("StreamingTests", ["Streaming", "CRI", "JSON", "Linux", "TestKit", nioCore, nioPosix, log]),
        tests("CRICtlTests", ["CRICtl", "CRI", "CRIgRPC", "JSON", "Linux", "TestKit", log, arguments]),
        tests("NodeTests", ["Node", "Kubelet", "Sandboxes", "ShimProtocol", "Streaming", "TestKit", log]),
        tests("WholePathTests", ["TestKit", "JSON"]),
    ],
    swiftLanguageModes: [.v6]
)

// KUBESIM_FUZZ=1 makes another package of the same sources: World A's rooms, and the readers of Images, with libFuzzer's
// instrumentation, and the fuzzers over their readers (`make fuzz`).
if Context.environment["KUBESIM_FUZZ"] == "1" {
    let instrumented = strict + [.unsafeFlags(["-sanitize=fuzzer"])]
    let rooms = [
        "CLinux", "CSeccomp", "CCap", "Linux", "JSON", "OCISpec", "Cgroups", "ShimProtocol", "CReadOnlySelf",
        "OCIRuntime",
    ]
    package.products = []
    package.dependencies = []
    package.targets = package.targets.filter { rooms.contains($0.name) }
    for target in package.targets where target.swiftSettings != nil { target.swiftSettings = instrumented }
    package.targets += [
        // The readers of what comes with images and from registries; they need no library.
        .target(
            name: "Images", dependencies: ["CLinux"], path: "Sources/Images/Formats", swiftSettings: instrumented),
        .target(name: "CFuzzer", path: "Tests/Fuzz/CFuzzer"),
        .target(name: "FuzzKit", dependencies: ["CFuzzer"], path: "Tests/Fuzz/FuzzKit", swiftSettings: strict),
    ]
    let runtime: [Target.Dependency] = ["OCIRuntime", "OCISpec", "ShimProtocol", "JSON"]
    let fuzzers: [(name: String, rooms: [Target.Dependency])] = [
        ("config", runtime), ("state", runtime), ("command-line", runtime), ("tar", ["Images"]),
        ("manifest", ["Images"]), ("reference", ["Images"]), ("hosts", ["Images"]),
    ]
    for (name, rooms) in fuzzers {
        package.targets.append(
            .executableTarget(
                name: "fuzz-" + name, dependencies: ["FuzzKit"] + rooms, path: "Tests/Fuzz/fuzz-" + name,
                swiftSettings: strict,
                linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]))
    }
}
