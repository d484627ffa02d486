import ArgumentParser
import CRI
import JSON
import SwiftProtobuf

/// `crictl version`
struct VersionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Display runtime version information")

    func run() async throws {
        var request = CRIVersionRequest()
        request.version = "v1"
        let asked = request
        let version = try await withServices { services in
            try await doing("getting the runtime version") { try await services.runtime.version(asked) }
        }
        // Two spaces: crictl prints its labels with one, and Go's Println adds the other.
        say("Version:  \(version.version)")
        say("RuntimeName:  \(version.runtimeName)")
        say("RuntimeVersion:  \(version.runtimeVersion)")
        say("RuntimeApiVersion:  \(version.runtimeApiVersion)")
    }
}

/// `crictl info`
struct InfoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Display information of the container runtime")

    @Option(name: .shortAndLong, help: "Output format: json, yaml, go-template") var output = OutputFormat.json
    @Flag(name: .shortAndLong, help: "Do not show verbose information") var quiet = false
    @Option(help: "The template of go-template, as in '{{.status}}'") var template: String?

    func run() async throws {
        var request = CRIStatusRequest()
        request.verbose = !quiet
        let asked = request
        let response = try await withServices { services in
            try await doing("getting status of runtime") { try await services.runtime.status(asked) }
        }
        // These two are printed in Go's own way: names as in the protocol, and nothing that is empty.
        var more: [(String, JSONValue)] = []
        if !response.runtimeHandlers.isEmpty {
            more.append(("runtimeHandlers", .array(try response.runtimeHandlers.map(Self.plain))))
        }
        if response.hasFeatures { more.append(("features", try Self.plain(response.features))) }
        try output.print(
            StatusDocument.make(
                status: try ProtoDocument.value(of: response.status), info: response.info, more: more),
            template: template)
    }

    private static func plain(_ message: some Message) throws -> JSONValue {
        var options = JSONEncodingOptions()
        options.preserveProtoFieldNames = true
        let bytes: [UInt8] = try message.jsonUTF8Bytes(options: options)
        return try JSONValue.parse(bytes)
    }
}

/// `crictl imagefsinfo`
struct ImageFilesystemCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "imagefsinfo", abstract: "Return image filesystem info")

    @Option(name: .shortAndLong, help: "Output format: json, yaml, go-template, table") var output = OutputFormat.json
    @Option(help: "The template of go-template, as in '{{.status}}'") var template: String?

    func run() async throws {
        let response = try await withServices { services in
            try await doing("image filesystem info") {
                try await services.images.imageFsInfo(CRIImageFsInfoRequest())
            }
        }
        guard output == .table else {
            return try output.print(
                StatusDocument.make(status: try ProtoDocument.value(of: response), info: [:]), template: template)
        }
        Self.show("Container", response.containerFilesystems)
        Self.show("Image", response.imageFilesystems)
    }

    private static func show(_ label: String, _ filesystems: [CRIFilesystemUsage]) {
        say("\(label) Filesystem ")
        for (index, usage) in filesystems.enumerated() {
            say("TimeStamp[\(index)]: \(usage.timestamp)")
            say("Disk[\(index)]: \(Human.size(usage.usedBytes.value))")
            say("Inodes[\(index)]: \(usage.inodesUsed.value)")
            say("Mountpoint[\(index)]: \(usage.fsID.mountpoint)")
        }
    }
}

/// `crictl events`
struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Stream the events of containers", aliases: ["event"])

    @Option(name: .shortAndLong, help: "Output format: json, yaml, go-template") var output = OutputFormat.json
    @Option(help: "The template of go-template, as in '{{.status}}'") var template: String?

    func run() async throws {
        if let template, output != .goTemplate {
            throw Failure("template can't be used with \"\(output.rawValue)\" format: \(template)")
        }
        try await withServices { services in
            try await doing("getting container events") {
                for try await event in try await services.runtime.getContainerEvents(CRIGetEventsRequest()) {
                    try output.print(event, template: template)
                }
            }
        }
    }
}

/// `crictl metricdescs`
struct MetricDescriptorsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metricdescs",
        abstract: "List metric descriptors. Returns information about the metrics available through the CRI.")

    @Option(name: .shortAndLong, help: "Output format: json, yaml") var output = OutputFormat.json

    func run() async throws {
        let response = try await withServices { services in
            try await doing("get metric descriptors") {
                try await services.runtime.listMetricDescriptors(CRIListMetricDescriptorsRequest())
            }
        }
        try output.print(response)
    }
}

/// `crictl metricsp`
struct PodMetricsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metricsp",
        abstract: "List pod metrics. Metrics are unstructured key/value pairs gathered by CRI meant to replace "
            + "cAdvisor's /metrics/cadvisor endpoint.")

    @Option(name: .shortAndLong, help: "Output format: json, yaml") var output = OutputFormat.json
    @Flag(name: .shortAndLong, help: "Watch pod metrics") var watch = false

    func run() async throws {
        try await withServices { services in
            try await repeatedly(watch) {
                let response = try await doing("get pod metrics") {
                    try await services.runtime.listPodSandboxMetrics(CRIListPodSandboxMetricsRequest())
                }
                try output.print(response)
            }
        }
    }
}

/// `crictl runtime-config`
struct RuntimeConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runtime-config", abstract: "Retrieve the container runtime configuration")

    func run() async throws {
        let response = try await withServices { services in
            try await doing("get runtime config") {
                try await services.runtime.runtimeConfig(CRIRuntimeConfigRequest())
            }
        }
        guard response.hasLinux else { return }
        var table = Table(minimumWidth: 10)
        table.add(["cgroup driver:", response.linux.cgroupDriver == .systemd ? "SYSTEMD" : "CGROUPFS"])
        show(table.text)
    }
}

/// `crictl update-runtime-config`
struct UpdateRuntimeConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update-runtime-config", abstract: "Update the runtime configuration")

    @Option(name: .shortAndLong, help: "The new range of the pods' addresses; runtimes leave an empty one alone")
    var podCidr: String

    func run() async throws {
        var request = CRIUpdateRuntimeConfigRequest()
        request.runtimeConfig.networkConfig.podCidr = podCidr
        let asked = request
        _ = try await withServices { services in
            try await doing("update runtime config") { try await services.runtime.updateRuntimeConfig(asked) }
        }
        warn("Runtime config successfully updated")
    }
}

/// Does something once, or twice a second until the program is stopped.
func repeatedly(_ again: Bool, _ body: () async throws -> Void) async throws {
    repeat {
        try await body()
        if again { try await Task.sleep(for: .milliseconds(500)) }
    } while again
}
